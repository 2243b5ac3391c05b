// What the whole path (key, validation, durable queue, runner, usage) adds to a request that computes nothing.
import { post, type Target } from "./client.ts";
import { median, percentile, trimmedMean } from "./statistics.ts";

export type Overhead = {
  /** Milliseconds of a request to a route that only answers. */
  bareMs: { p50: number; p99: number };
  /** Milliseconds of a request to the echo model. */
  fullMs: { p50: number; p99: number };
  /**
   * Milliseconds of it that the runner had the job (round trip between processes included). A mean: the server tells
   * whole milliseconds, and their mean is right where their median is not.
   */
  runnerMs: number;
  /** Medians over rounds: full less bare, the same less the runner's time, full by bare. */
  differenceMs: number;
  withoutRunnerMs: number;
  ratio: number;
};

type Round = { bare: number[]; full: number[]; runner: number[] };

/** Rounds alternate between the two, so that a slow moment of the machine meets both. */
export async function measureOverhead(given: {
  bare: Target;
  full: Target;
  rounds: number;
  requests: number;
}): Promise<Overhead> {
  const { bare, full, requests } = given;
  const rounds: Round[] = [];
  for (let i = 0; i <= given.rounds; i++) {
    const runner: number[] = [];
    const round = {
      bare: await latencies(requests, () => post(bare, "/echo", BODY)),
      full: await latencies(requests, async () => {
        const response = await post(full, "/run/forecourt/echo", BODY);
        runner.push(runTimeOf(response));
        return response;
      }),
      runner,
    };
    if (i > 0) rounds.push(round); // the first one warms both up
  }
  return summarise(rounds);
}

const BODY = { prompt: "a red circle on a blue background" };

/** One after the other, until the last byte. */
async function latencies(count: number, ask: () => Promise<Response>): Promise<number[]> {
  const samples: number[] = [];
  for (let i = 0; i < count; i++) {
    const begun = performance.now();
    await (await ask()).bytes();
    samples.push(performance.now() - begun);
  }
  return samples;
}

const runTimeOf = (response: Response) =>
  Number(/run=([\d.]+)/.exec(response.headers.get("x-forecourt-timing") ?? "")?.[1] ?? Number.NaN);

function summarise(rounds: Round[]): Overhead {
  const all = (which: keyof Round) => rounds.flatMap((round) => round[which]);
  const spread = (samples: number[]) => ({ p50: median(samples), p99: percentile(samples, 0.99) });
  const perRound = (of: (medians: { bare: number; full: number; runner: number }) => number) =>
    median(
      rounds.map(({ bare, full, runner }) =>
        of({ bare: median(bare), full: median(full), runner: trimmedMean(runner) }),
      ),
    );
  return {
    bareMs: spread(all("bare")),
    fullMs: spread(all("full")),
    runnerMs: trimmedMean(all("runner")),
    differenceMs: perRound(({ bare, full }) => full - bare),
    withoutRunnerMs: perRound(({ bare, full, runner }) => full - runner - bare),
    ratio: perRound(({ bare, full }) => full / bare),
  };
}
