// What was answered to a load: counted by kind, with what should not have been, and how long the probe's answers took.
import { quantile } from "./trend.ts";

export type Tally = {
  /**
   * Counts the answer under its kind; one that is none of `wanted` is told with what it says. Resolves to the response as it came.
   * Throws `Excused` for one that fails for what the soak itself has broken: the caller does something else.
   */
  take(kind: string, response: Response, wanted: readonly number[]): Promise<Response>;
  count(kind: string, outcome: string): void;
  wrong(kind: string, why: string): void;
  /** Milliseconds of one answer, for the minute in which it came. */
  timed(milliseconds: number): void;
  answers(): Record<string, number>;
  unexpected(): { total: number; first: string[] };
  latency(): Minute[];
};

export type Minute = { minute: number; count: number; p50: number; p99: number; longest: number };

/** Of the same mistake a thousand times the first few say it all. */
const TOLD = 30;
const LONGEST_TEXT = 400;

export class Excused extends Error {}

/** `isExcused`: may be answered with this text now. */
export function createTally({ isExcused }: { isExcused: (text: string) => boolean }): Tally {
  const startedAt = performance.now();
  const counts = new Map<string, number>();
  const first: string[] = [];
  const minutes = new Map<number, number[]>();
  let total = 0;
  const count = (kind: string, outcome: string) => {
    const name = `${kind}: ${outcome}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  };
  const wrong = (kind: string, why: string) => {
    total++;
    const at = Math.round((performance.now() - startedAt) / 1000);
    if (first.length < TOLD) first.push(`${at} s: ${kind}: ${why.slice(0, LONGEST_TEXT)}`);
  };
  return {
    async take(kind, response, wanted) {
      const isWanted = wanted.includes(response.status);
      const text = isWanted ? "" : await response.clone().text();
      const excused = !isWanted && isExcused(text);
      count(kind, `${response.status}${excused ? ", excused" : ""}`);
      if (excused) throw new Excused(text);
      if (!isWanted) wrong(kind, `${response.status} ${text}`);
      return response;
    },
    count,
    wrong,
    timed(milliseconds) {
      const minute = Math.floor((performance.now() - startedAt) / 60_000);
      minutes.set(minute, [...(minutes.get(minute) ?? []), milliseconds]);
    },
    answers: () => Object.fromEntries([...counts].sort(([a], [b]) => a.localeCompare(b))),
    unexpected: () => ({ total, first }),
    latency: () => [...minutes].map(([minute, times]) => summary(minute, times)),
  };
}

function summary(minute: number, times: number[]): Minute {
  const rounded = (share: number) => Math.round(quantile(times, share) * 100) / 100;
  return { minute, count: times.length, p50: rounded(0.5), p99: rounded(0.99), longest: rounded(1) };
}
