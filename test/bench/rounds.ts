// Servers that take their turns in rounds, so that a moment in which the machine is busy with others meets them all; and what each adds to the first
// one, a bare server. Medians of the rounds count.
import { readFileSync } from "node:fs";
import { mean, median, percentile } from "../../src/cli/bench/statistics.ts";
import type { Answer, Ask } from "./http-load.ts";

export type Target = {
  name: string;
  ask: Ask;
  /** Name of another target of the same rounds: what this one adds to it is told too. */
  beside?: string;
};
export type Spread = { p50: number; p99: number };

export type Line = {
  target: string;
  load: string;
  ms: Spread;
  modelMs: number;
  /** Beyond the bare server of the same round and the model's own time. */
  addedMs: Spread;
  /** Beyond the target that it is told beside, likewise. */
  besideMs?: { target: string } & Spread;
  /** Of each round, with what the machine's host gave to others meanwhile, in milliseconds of each second; undefined where it does not tell. */
  rounds: { addedP99: number; stolenMs?: number }[];
  failed: number;
};

export const round = (ms: number) => Math.round(ms * 1000) / 1000;
export const spread = (samples: number[]): Spread => ({
  p50: round(median(samples)),
  p99: round(percentile(samples, 0.99)),
});

type Measured = { ms: Spread; modelMs: number; ours: Spread; failed: number; stolenMs?: number };

/**
 * The model's time is told in tenths of a millisecond: the middle of the requests has its mean taken off, the slowest ones have
 * their own.
 */
function measured(answers: Answer[]): Measured {
  const ms = spread(answers.map((answer) => answer.ms));
  const modelMs = mean(answers.map((answer) => answer.modelMs));
  const slowest = percentile(
    answers.map((answer) => answer.ms - answer.modelMs),
    0.99,
  );
  const failed = answers.filter(({ status }) => status !== 200).length;
  return { ms, modelMs, ours: { p50: ms.p50 - modelMs, p99: slowest }, failed };
}

/** Of all processors since the start, in milliseconds: proc_stat(5), in ticks of 10 ms. */
function stolenMs(): number | undefined {
  try {
    return 10 * Number(/^cpu +(?:\d+ ){7}(\d+)/.exec(readFileSync("/proc/stat", "utf8"))?.[1]);
  } catch {
    return undefined; // not on this system
  }
}

async function timed(way: () => Promise<Answer[]>): Promise<Measured> {
  const [before, since] = [stolenMs(), performance.now()];
  const answers = await way();
  const [after, seconds] = [stolenMs(), (performance.now() - since) / 1000];
  const stolen = before !== undefined && after !== undefined && { stolenMs: Math.round((after - before) / seconds) };
  return { ...measured(answers), ...stolen };
}

/** In each round. */
const addedTo = (others: Measured[], rounds: Measured[]): Spread[] =>
  rounds.map(({ ours }, at) => ({
    p50: ours.p50 - (others[at]?.ms.p50 ?? 0),
    p99: ours.p99 - (others[at]?.ms.p99 ?? 0),
  }));

const medians = (spreads: Spread[]): Spread => ({
  p50: round(median(spreads.map(({ p50 }) => p50))),
  p99: round(median(spreads.map(({ p99 }) => p99))),
});

type Compared = { rounds: Measured[]; bares: Measured[]; beside: Measured[] | undefined };

function lineOf(target: Target, load: string, { rounds, bares, beside }: Compared): Line {
  const added = addedTo(bares, rounds);
  return {
    target: target.name,
    load,
    ms: medians(rounds.map(({ ms }) => ms)),
    modelMs: round(median(rounds.map(({ modelMs }) => modelMs))),
    addedMs: medians(added),
    ...(target.beside && beside && { besideMs: { target: target.beside, ...medians(addedTo(beside, rounds)) } }),
    rounds: added.map(({ p99 }, at) => {
      const stolen = rounds[at]?.stolenMs;
      return { addedP99: round(p99), ...(stolen !== undefined && { stolenMs: stolen }) };
    }),
    failed: rounds.reduce((sum, { failed }) => sum + failed, 0),
  };
}

export type Comparison = {
  bare: Target;
  targets: Target[];
  load: string;
  rounds: number;
  /** What is asked of each in a round. */
  way: (ask: Ask) => Promise<Answer[]>;
};

export async function compare({ bare, targets, load, rounds: count, way }: Comparison) {
  const bares: Measured[] = [];
  const others = targets.map((target) => ({ target, rounds: [] as Measured[] }));
  for (let at = 0; at < count; at++) {
    bares.push(await timed(() => way(bare.ask)));
    for (const { target, rounds } of others) rounds.push(await timed(() => way(target.ask)));
  }
  const roundsOf = (name: string | undefined) => others.find(({ target }) => target.name === name)?.rounds;
  return {
    bare: medians(bares.map(({ ms }) => ms)),
    lines: others.map(({ target, rounds }) => lineOf(target, load, { rounds, bares, beside: roundsOf(target.beside) })),
  };
}
