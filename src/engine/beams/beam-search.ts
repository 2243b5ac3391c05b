// Searches for a model's likeliest answer: several grow side by side, and the best of them go on (transformers' beam search).
import { argmax, highest, logSumExp } from "../generation/logits.ts";
import { letIn } from "../pause.ts";
import { forbid } from "./forbidden.ts";
import type { BeamSettings } from "./settings.ts";

/** Goes on from row `from` of the step before with `token`. */
export type BeamRow = { from: number; token: number };

export type BeamSearch = {
  settings: BeamSettings;
  /** Scores of the token after each row's, row by row: not changed by others, and the search's to change. */
  step(rows: readonly BeamRow[]): Promise<Float32Array[]>;
  /** The most tokens of the answer. */
  most: number;
  signal: AbortSignal;
};

/** Yields how many tokens there are after each step; its value are the answer's, ends and forced ones included. */
export function searchAnswer(search: BeamSearch): AsyncGenerator<number, number[]> {
  return search.settings.beams === 1 ? followLikeliest(search) : followBeams(search);
}

async function* followLikeliest({ settings, step, most, signal }: BeamSearch): AsyncGenerator<number, number[]> {
  const tokens = [settings.start];
  while (tokens.length <= most) {
    const [scores = EMPTY] = await stepOf({ step, signal }, [{ from: 0, token: tokens.at(-1) ?? 0 }]);
    forbid(scores, { tokens, most: most + 1 }, settings);
    const token = argmax(scores);
    tokens.push(token);
    yield tokens.length - 1;
    if (settings.ends.has(token)) break;
  }
  return tokens.slice(1);
}

type Beam = { tokens: readonly number[]; score: number; from: number };
type Ended = { tokens: readonly number[]; score: number; isWhole: boolean };

/** Far below every score, and finite: what has it can still be ordered. */
const OUT = -1e9;

async function* followBeams(search: BeamSearch): AsyncGenerator<number, number[]> {
  const { settings, most } = search;
  const kept = Math.max(2, 1 + settings.ends.size) * settings.beams;
  let open: Beam[] = [{ tokens: [settings.start], score: 0, from: 0 }];
  let ended: Ended[] = Array.from({ length: settings.beams }, () => ({ tokens: [], score: OUT, isWhole: false }));
  let mayImprove = true;
  for (let length = 1; ; length++) {
    const rows = open.map(({ tokens, from }) => ({ from, token: tokens.at(-1) ?? 0 }));
    const scores = await stepOf(search, rows);
    const next = goOn(open, scores, { settings, most: most + 1, count: kept });
    const isEnd = (each: Beam) => settings.ends.has(each.tokens.at(-1) ?? 0) || each.tokens.length > most;
    ended = withEnded(ended, { next, isEnd, mayImprove, settings });
    const isStuck = next.every(isEnd);
    open = best(
      next.map((each) => (isEnd(each) ? { ...each, score: each.score + OUT } : each)),
      settings.beams,
    );
    yield length;
    const hope = (open[0]?.score ?? OUT) / length ** settings.lengthPenalty;
    const worst = Math.min(...ended.map(({ score }) => score));
    mayImprove &&= ended.some(({ isWhole }) => hope > (isWhole ? worst : OUT));
    const isFull = settings.stopsEarly && ended.every(({ isWhole }) => isWhole);
    if (!mayImprove || isFull || isStuck) break;
  }
  return ended[0]?.tokens.slice(1) ?? [];
}

const EMPTY = new Float32Array();

async function stepOf({ step, signal }: Pick<BeamSearch, "step" | "signal">, rows: readonly BeamRow[]) {
  // The event loop reads what was sent to this process meanwhile.
  await letIn(signal);
  return await step(rows);
}

type Going = { settings: BeamSettings; most: number; count: number };

/** The best ways on of all open answers, best first. */
function goOn(open: readonly Beam[], scores: readonly Float32Array[], { settings, most, count }: Going): Beam[] {
  const ways = open.flatMap(({ tokens, score }, from) => {
    const own = scores[from] ?? EMPTY;
    const all = logSumExp(own);
    for (let i = 0; i < own.length; i++) own[i] = (own[i] ?? 0) - all;
    forbid(own, { tokens, most }, settings);
    return highest(own, count).map((token) => ({
      tokens: [...tokens, token],
      score: score + (own[token] ?? OUT),
      from,
    }));
  });
  return best(ways, count);
}

/** Of equals the first. */
const best = <Each extends { score: number }>(from: readonly Each[], count: number) =>
  from.toSorted((a, b) => (a.score === b.score ? 0 : b.score - a.score)).slice(0, count);

type Ending = { next: readonly Beam[]; isEnd(each: Beam): boolean; mayImprove: boolean; settings: BeamSettings };

/** Only the best ways on, as many as there are beams, may end an answer: the others are there to go on. */
function withEnded(ended: readonly Ended[], { next, isEnd, mayImprove, settings }: Ending): Ended[] {
  const isFull = settings.stopsEarly && ended.every(({ isWhole }) => isWhole);
  if (isFull || !mayImprove) return [...ended];
  const fresh = next.slice(0, settings.beams).filter(isEnd);
  const scored = fresh.map(({ tokens, score }) => ({
    tokens,
    score: score / (tokens.length - 1) ** settings.lengthPenalty,
    isWhole: true,
  }));
  return best([...ended, ...scored], settings.beams);
}
