// Servers that take their turns in rounds, so that a moment in which the machine is busy with others meets them all; and what each adds to the first
// one, a bare server. Medians of the rounds count.
import { readFileSync } from "node:fs";
import { mean, median, percentile } from "../../src/cli/bench/statistics.ts";
import type { Answer, Ask } from "./http-load.ts";

export type Target = { name: string; ask: Ask };
export type Spread = { p50: number; p99: number };

export type Line = {
  target: string;
  load: string;
  ms: Spread;
  modelMs: number;
  /** Beyond the bare server of the same round and the model's own time. */
  addedMs: Spread;
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
 * The model's time is told in whole milliseconds: the middle of the requests has its mean taken off, the slowest ones have
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

/** `bares`: of the same rounds. */
function lineOf({ name }: Target, load: string, rounds: Measured[], bares: Measured[]): Line {
  const added = rounds.map(({ ours }, at) => ({
    p50: ours.p50 - (bares[at]?.ms.p50 ?? 0),
    p99: ours.p99 - (bares[at]?.ms.p99 ?? 0),
  }));
  return {
    target: name,
    load,
    ms: { p50: median(rounds.map(({ ms }) => ms.p50)), p99: median(rounds.map(({ ms }) => ms.p99)) },
    modelMs: round(median(rounds.map(({ modelMs }) => modelMs))),
    addedMs: { p50: round(median(added.map(({ p50 }) => p50))), p99: round(median(added.map(({ p99 }) => p99))) },
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
  return {
    bare: { p50: median(bares.map(({ ms }) => ms.p50)), p99: median(bares.map(({ ms }) => ms.p99)) },
    lines: others.map(({ target, rounds }) => lineOf(target, load, rounds, bares)),
  };
}
