// What the benchmark measured, as one document and as text.
import { sizeText, table } from "../terminal.ts";
import type { Version } from "../version.ts";
import type { Overhead } from "./overhead.ts";
import type { StartUp } from "./start-up.ts";
import type { Steps } from "./steps.ts";
import type { SwapIn } from "./swap-in.ts";

export type BenchReport = {
  version: Version;
  device: string;
  /** What else the machine did before: processes that wanted to run, over the last minute, and threads there are. */
  load: { average: number; threads: number };
  overhead: Overhead;
  jobsPerSecond: number;
  startUp: StartUp;
  steps: Steps;
};

export function benchText({ device, load, overhead, jobsPerSecond, startUp, steps }: BenchReport): string {
  const { bareMs, fullMs, runnerMs, differenceMs, withoutRunnerMs, ratio } = overhead;
  const rows: [string, string][] = [
    ["bare route, p50 / p99", `${ms(bareMs.p50)} / ${ms(bareMs.p99)}`],
    ["echo model through the whole path, p50 / p99", `${ms(fullMs.p50)} / ${ms(fullMs.p99)}`],
    ["  more than the bare route", `${ms(differenceMs)} (${ratio.toFixed(1)} times)`],
    ["  of that in the runner", ms(runnerMs)],
    ["  gateway and durable queue alone", ms(withoutRunnerMs)],
    ["jobs from submit to complete", `${Math.round(jobsPerSecond)} a second`],
    ["from exec to ready", ms(startUp.readyMs)],
    ["from exec to the first picture", ms(startUp.firstPictureMs)],
    ["resident memory, idle", sizeText(startUp.idleBytes)],
    ["diffusion step in the server", ms(steps.stepMs)],
    ["  the bare session's call", ms(steps.sessionMs)],
    ["  more than the bare session", `${(100 * steps.overhead).toFixed(1)} %`],
  ];
  return [`On ${device}`, ...busyText(load), "", table(["measured", "result"], rows)].join("\n");
}

/** Above this share of the threads, others take time that the measured processes would have had. */
const BUSY = 0.25;

const busyText = ({ average, threads }: BenchReport["load"]) =>
  average > BUSY * threads
    ? [
        `The machine was busy before (load ${average.toFixed(1)} on ${threads} threads): idle, it does better than this.`,
      ]
    : [];

/** The promise is a swap-in at 70 % of the disk's sequential rate (product.md 6). */
export function swapInText(
  { bytes, readMs, coldMs, coldLoadMs, warmMs, warmWithoutSpareMs, ofReadRate, ...late }: SwapIn,
  load: BenchReport["load"],
): string {
  const rows: [string, string][] = [
    ["size of the model's files", sizeText(bytes)],
    ["its files read, not in the page cache", ms(readMs)],
    ["from the request to the answer, not in the page cache", ms(coldMs)],
    ["  of that the server's loading", ms(coldLoadMs)],
    ["  of the disk's rate", `${(100 * ofReadRate).toFixed(0)} %`],
    ["the same with prepacking after the answer", ms(late.coldLateMs)],
    ["  of the disk's rate", `${(100 * late.lateOfReadRate).toFixed(0)} %`],
    ["from the request to the answer, in the page cache", ms(warmMs)],
    ["  without a process started ahead", ms(warmWithoutSpareMs)],
  ];
  return [...busyText(load), table(["measured", "result"], rows)].join("\n");
}

const ms = (value: number) => `${value.toFixed(value < 10 ? 2 : 0)} ms`;
