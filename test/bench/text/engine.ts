// What is measured of an engine: when the tokens of answers come that are asked for at once.
import { readFile } from "node:fs/promises";
import { median } from "../../../src/cli/bench/statistics.ts";

export type Answered = {
  /** Milliseconds from the question to the first token, and to the last. */
  first: number;
  last: number;
  tokens: number;
  text: string;
};

export type Engine = AsyncDisposable & {
  name: string;
  version: string;
  /** Seconds of processors that its processes have used so far; 0 where the system does not tell. */
  cpuSeconds(): Promise<number>;
  /** All at once; each goes on for `count` tokens, the likeliest each time. Prompts are ASCII: a token for each sign. */
  ask(prompts: readonly string[], count: number): Promise<Answered[]>;
};

export type Figures = {
  clients: number;
  /** Median. */
  firstTokenMs: number;
  /** Of all clients together, from the question to the last token. */
  tokensPerSecond: number;
  /** Of one client, after its first token; the median. */
  tokensPerSecondEach: number;
  /** Of a processor, for the whole of prompts and answers: what other work on the machine hardly changes. */
  cpuSeconds: number;
};

export function figuresOf(answers: readonly Answered[], cpuSeconds: number): Figures {
  const tokens = answers.reduce((sum, each) => sum + each.tokens, 0);
  const seconds = Math.max(...answers.map(({ last }) => last)) / 1000;
  return {
    clients: answers.length,
    firstTokenMs: round(median(answers.map(({ first }) => first))),
    tokensPerSecond: round(tokens / seconds),
    tokensPerSecondEach: round(
      median(answers.map(({ first, last, tokens: own }) => (own - 1) / ((last - first) / 1000))),
    ),
    cpuSeconds: round(cpuSeconds),
  };
}

/** utime and stime of /proc/PID/stat, in hundredths on every Linux. */
export async function cpuSecondsOf(pids: readonly number[]): Promise<number> {
  const texts = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, "utf8").catch(() => "")));
  // The name before it, in brackets, may hold spaces.
  const ticks = texts.map((text) => text.slice(text.lastIndexOf(")") + 2).split(" "));
  return ticks.reduce((sum, fields) => sum + (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / 100, 0);
}

const round = (value: number) => Math.round(value * 100) / 100;

/** So many prompts of so many signs, no two of which begin alike: nothing read for one is of use to another. */
export function promptsOf(count: number, length: number, round: number): string[] {
  const letters = "abcdefghijklmnopqrstuvwxyz";
  return Array.from({ length: count }, (_, client) => {
    const head = `${String.fromCharCode(65 + (client % 26))}${round % 10}`;
    return head.padEnd(length, letters.slice(client % 26) + letters).slice(0, length);
  });
}
