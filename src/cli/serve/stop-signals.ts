// SIGINT, SIGTERM and SIGHUP: the first one asks to drain; after it SIGINT and SIGTERM ask not to wait for that.
import { readFileSync } from "node:fs";

export type StopSignals = {
  /** Aborted by the first signal, with its name as the reason. */
  drain: AbortSignal;
  /** Resolves at the second signal. */
  atOnce: Promise<void>;
};

const ENDS = ["SIGINT", "SIGTERM"];

/** For as long as the process lives. A hang-up that was ignored when this process began (`nohup`) still is. */
export function listenForStop(): StopSignals {
  const drain = new AbortController();
  const { promise: atOnce, resolve } = Promise.withResolvers<void>();
  const onSignal = (signal: NodeJS.Signals) => {
    if (!drain.signal.aborted) drain.abort(signal);
    // A terminal that is closed hangs up twice: its shell does, and then the system.
    else if (signal !== "SIGHUP") resolve();
  };
  for (const signal of ignoresHangUp() ? ENDS : [...ENDS, "SIGHUP"]) process.on(signal, onSignal);
  return { drain: drain.signal, atOnce };
}

/** The mask of ignored signals, in hexadecimal; SIGHUP is the first of them (proc(5)). */
function ignoresHangUp(): boolean {
  const ignored = /^SigIgn:\s*[0-9a-f]*([0-9a-f])$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  return (Number.parseInt(ignored, 16) & 1) === 1;
}

export const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
