// Requests of many users to 600 models: Zipf popularity, sittings (bursts), and a favourite that changes. With the truth
// behind them: how often sittings of each model began at each moment.
import { asId, type ModelId } from "../../src/core/ids.ts";
import { type Bytes, bytes } from "../../src/core/units.ts";

export type SimulatedModel = { id: ModelId; footprint: Bytes; loadMs: number; runMs: number };
export type Arrival = { at: number; model: number; key: string };
/** `rate`: sittings of the model that begin in a millisecond, on average. `sitting` as asked for. */
export type Traffic = { arrivals: Arrival[]; rate(model: number, at: number): number; sitting: number };

const GIB = 1024 ** 3;
/** Sequential read of one NVMe disk through the page cache, and a process with its sessions made. */
const READ_BYTES_PER_MS = (2 * GIB) / 1000;
const START_MS = 1_500;

const normal = (dice: () => number) => Math.sqrt(-2 * Math.log(1 - dice())) * Math.cos(2 * Math.PI * dice());

/** Sizes as in the catalogue: from detectors of 0.2 GB to video models of 40 GB, half of them below 4 GB. */
export function createModels(count: number, dice: () => number): SimulatedModel[] {
  return Array.from({ length: count }, (_, at) => {
    const footprint = bytes(Math.min(40, Math.max(0.2, 4 * Math.exp(1.1 * normal(dice)))) * GIB);
    const runMs = 300 + 1_500 * (footprint / GIB / 4) * Math.exp(0.5 * normal(dice));
    return { id: asId<ModelId>(`lab/model-${at}`), footprint, loadMs: START_MS + footprint / READ_BYTES_PER_MS, runMs };
  });
}

export type TrafficOptions = {
  models: number;
  requests: number;
  /** Requests in a second, on the whole. */
  rate: number;
  /** How often the ranks are dealt anew for the upper ones; Infinity = never. */
  shiftMs: number;
  /** Requests of one sitting, on average; 1 = no bursts. */
  sitting: number;
  dice: () => number;
};

/** Share of the requests that find an empty box, and are not counted. */
export const FILLING = 0.25;
/** Exponent of the Zipf law: 1 is what downloads of public models follow, roughly. */
const ZIPF = 1;
/** Between two requests of a sitting: reading an answer and changing the prompt. */
export const PAUSE_MS = 20_000;

export function createTraffic({ models, requests, rate, shiftMs, sitting, dice }: TrafficOptions): Traffic {
  const ranks = Array.from({ length: models }, (_, at) => at);
  shuffle(ranks, dice);
  const cumulative = zipf(models);
  const arrivals: Arrival[] = [];
  const dealt = [{ at: 0, rankOf: inverse(ranks) }];
  let now = 0;
  let nextShift = shiftMs;
  while (arrivals.length < requests) {
    now += (-Math.log(1 - dice()) * 1000 * sitting) / rate;
    for (; now > nextShift; nextShift += shiftMs) {
      shift(ranks, dice);
      dealt.push({ at: nextShift, rankOf: inverse(ranks) });
    }
    const model = ranks[search(cumulative, dice())] ?? 0;
    const key = `key-${Math.floor(dice() * 50)}`;
    let at = now;
    do {
      arrivals.push({ at, model, key });
      at += -Math.log(1 - dice()) * PAUSE_MS;
    } while (dice() > 1 / sitting);
  }
  const shares = cumulative.map((sum, at) => sum - (cumulative[at - 1] ?? 0));
  let deal = 0;
  return {
    arrivals: arrivals.sort((a, b) => a.at - b.at).slice(0, requests),
    rate(model, at) {
      if (at < (dealt[deal]?.at ?? 0)) deal = 0;
      while ((dealt[deal + 1]?.at ?? Number.POSITIVE_INFINITY) <= at) deal++;
      return ((shares[dealt[deal]?.rankOf[model] ?? 0] ?? 0) * rate) / sitting / 1000;
    },
    sitting,
  };
}

function inverse(ranks: number[]): number[] {
  const rankOf: number[] = [];
  for (const [rank, model] of ranks.entries()) rankOf[model] = rank;
  return rankOf;
}

function zipf(count: number): number[] {
  let sum = 0;
  const sums = Array.from({ length: count }, (_, at) => {
    sum += 1 / (at + 1) ** ZIPF;
    return sum;
  });
  return sums.map((each) => each / sum);
}

function search(cumulative: number[], value: number): number {
  let [low, high] = [0, cumulative.length - 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((cumulative[middle] ?? 1) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function shuffle(list: number[], dice: () => number): void {
  for (let at = list.length - 1; at > 0; at--) swap(list, at, Math.floor(dice() * (at + 1)));
}

/** A model from anywhere becomes the favourite, and a tenth of the upper hundred change places with others. */
function shift(ranks: number[], dice: () => number): void {
  const [risen = 0] = ranks.splice(Math.floor(dice() * ranks.length), 1);
  ranks.unshift(risen);
  for (let each = 0; each < 10; each++) swap(ranks, Math.floor(dice() * 100), Math.floor(dice() * ranks.length));
}

function swap(list: number[], a: number, b: number): void {
  const [first, second] = [list[a], list[b]];
  if (first === undefined || second === undefined) return;
  list[a] = second;
  list[b] = first;
}
