// SIGINT, SIGTERM and the hang-up of a terminal: the first one asks to drain; after it SIGINT and SIGTERM ask not to wait for that. Without a
// terminal SIGHUP asks to read files anew, as of any service.
import { readFileSync } from "node:fs";

export type StopSignals = {
  /** Aborted by the first signal, with its name as the reason. */
  drain: AbortSignal;
  /** Resolves at the second signal. */
  atOnce: Promise<void>;
  /** Called at each SIGHUP that is no terminal's end. */
  onReload(listener: () => void): void;
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
  for (const signal of ENDS) process.on(signal, onSignal);
  const listeners = new Set<() => void>();
  const onHangUp = hasTerminal()
    ? onSignal
    : () => {
        for (const listener of listeners) listener();
      };
  if (!ignoresHangUp()) process.on("SIGHUP", onHangUp);
  return { drain: drain.signal, atOnce, onReload: (listener) => void listeners.add(listener) };
}

/** A controlling one, whose end the system tells by SIGHUP: the device number behind the name in brackets (proc(5)). */
function hasTerminal(): boolean {
  const [, , , , terminal = "0"] = readFileSync("/proc/self/stat", "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  return terminal !== "0";
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
