// `bun run simulate`: cold starts and waits of LRU, of our policy with and without reloading, of one told the true rates and of one
// that knows the future.
import { mean } from "../../src/cli/bench/statistics.ts";
import { bytes } from "../../src/core/units.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { leastColdStarts } from "./least-cold-starts.ts";
import { clairvoyant, leastRecentlyUsed, ourPolicy, type Policy, toldRates } from "./policies.ts";
import { type Outcome, simulate } from "./simulate.ts";
import { createModels, createTraffic } from "./traffic.ts";

const GIB = 1024 ** 3;
/**
 * Share of the requests that are played: 0.1 is a quick look. `seed`: 1, 2 and so on are other traffic of the same kind. `only`: one of
 * the scenarios.
 */
const [share = 1, seed = 0] = process.argv.slice(2, 4).map(Number);
const only = process.argv[4];
/**
 * Requests in a second that so many GPUs get: about half of what they could do if nothing had to be loaded. 64 cards of
 * 80 GB would hold all 600 models, so that there would be nothing to decide; those of 40 GB hold half of them.
 * `favouriteH`: hours of a favourite in the scenarios where it changes, so that a run sees about six. 8 h is plausible for a
 * box of few users; 15 minutes on 64 GPUs is not, but is what a run of minutes allows: 11,000 requests for each favourite.
 */
const boxes = [
  { gpus: 1, rate: 0.1, budget: 72, requests: 17_000, favouriteH: 8 },
  { gpus: 4, rate: 0.6, budget: 72, requests: 40_000, favouriteH: 3 },
  { gpus: 8, rate: 1.4, budget: 72, requests: 60_000, favouriteH: 2 },
  { gpus: 64, rate: 12, budget: 40, requests: 60_000, favouriteH: 0.25 },
];

/**
 * The parts of the traffic one by one. Single requests are what programs send, sittings of four what people do. The last one
 * is the hardest: twelve favourites in every run, whatever its length.
 */
const scenarios = {
  steady: { sitting: 1, favourites: "stay" },
  favourites: { sitting: 1, favourites: "change" },
  sittings: { sitting: 4, favourites: "change" },
  restless: { sitting: 4, favourites: "12 in a run" },
} as const;

type Box = (typeof boxes)[number];
type Scenario = (typeof scenarios)[keyof typeof scenarios];

function hoursOfFavourite({ favourites }: Scenario, hours: number, favouriteH: number): number {
  if (favourites === "stay") return Number.POSITIVE_INFINITY;
  return favourites === "change" ? favouriteH : hours / 12;
}

const print = (line: string) => process.stdout.write(`${line}\n`);

/** Of a bound nothing else is known than its cold starts. */
function row(
  { policy, coldStarts, ...more }: Pick<Outcome, "policy" | "coldStarts"> & Partial<Outcome>,
  ofLru: number,
) {
  const { coldMs = Number.NaN, loads, reloads, waitMs, ofLargest, decideMs } = more;
  const cell = (value: number | undefined, digits: number, unit: string, width: number) =>
    (value === undefined || Number.isNaN(value) ? "" : `${value.toFixed(digits)}${unit}`).padStart(width);
  const seconds = (ms: number | undefined) => cell(ms === undefined ? ms : ms / 1000, 1, " s", 8);
  const cells = [
    policy.padEnd(16),
    cell(100 * coldStarts, 1, " %", 8),
    cell(100 * (coldStarts / ofLru - 1), 0, " %", 7),
    ...[loads, reloads].map((count) => cell(count, 0, "", 7)),
    cell(coldMs / 1000, 2, " s", 10),
    ...[waitMs?.p50, waitMs?.p99, ofLargest?.waitMs.p50, ofLargest?.waitMs.p99].map(seconds),
    cell(decideMs?.p50, 3, " ms", 10),
  ];
  return cells.join(" ").trimEnd();
}

print(
  "Only forecourt loads models without a job; all others only choose what goes. The lower bound is of those that do and that load a model when its job comes: where many wait for room, as in very short runs, it can be passed.",
);
/** What the aims are about: of LRU's cold starts, and of the clairvoyant's. */
type Ratios = { ofLru: number; ofClairvoyant: number };

function play(name: string, scenario: Scenario, { gpus, rate, budget, requests: all, favouriteH }: Box): Ratios {
  const requests = Math.round(share * all);
  const models = createModels(600, seededRandom(7));
  const hours = requests / rate / 3600;
  const shiftMs = 3.6e6 * hoursOfFavourite(scenario, hours, favouriteH);
  const { sitting } = scenario;
  const dice = seededRandom(1000 * seed + gpus);
  const traffic = createTraffic({ models: 600, requests, rate, shiftMs, sitting, dice });
  print(`\n${name}: ${gpus} GPUs of ${budget} GiB for models, ${rate} requests/s, ${hours.toFixed(1)} h`);
  print(
    "policy               cold  of LRU   loads reloads  mean load      p50      p99  largest: p50  p99  decide p50",
  );
  const policies = {
    lru: leastRecentlyUsed(models),
    withoutReloading: ourPolicy(models, false),
    ours: ourPolicy(models),
    told: toldRates(models, traffic),
    clairvoyant: clairvoyant(models, traffic.arrivals, 0),
  };
  const box = { gpus, budget: bytes(budget * GIB), hasReplicas: true };
  const coldStarts: Partial<Record<keyof typeof policies, number>> = {};
  for (const [key, policy] of Object.entries(policies) as [keyof typeof policies, Policy][]) {
    const outcome = simulate({ policy, models, traffic: traffic.arrivals, box });
    coldStarts[key] = outcome.coldStarts;
    print(row(outcome, coldStarts.lru ?? 1));
  }
  const { lru = 1, ours = 1, clairvoyant: foreseen = 1 } = coldStarts;
  const least = leastColdStarts(models, traffic.arrivals, box);
  print(row({ policy: "lower bound", coldStarts: least }, lru));
  return { ofLru: ours / lru, ofClairvoyant: ours / foreseen };
}

print(
  "Only forecourt loads models without a job; all others only choose what goes. The lower bound is of those that do and that load a model when its job comes: where many wait for room, as in very short runs, it can be passed.",
);
for (const [name, scenario] of Object.entries(scenarios)) {
  if (only !== undefined && name !== only) continue;
  const ratios = boxes.map((box) => play(name, scenario, box));
  const fewer = 100 * (1 - mean(ratios.map(({ ofLru }) => ofLru)));
  const beside = mean(ratios.map(({ ofClairvoyant }) => ofClairvoyant));
  print(
    `\n${name}, the mean of the boxes: ${fewer.toFixed(0)} % fewer cold starts than LRU (aim: 25), ${beside.toFixed(2)} of the clairvoyant's (aim: 1.3)`,
  );
}
