// Notices a runner that writes to its channel without an end: Bun gathers a message until its last byte and has no limit for that.
import { readFileSync } from "node:fs";

export type FloodWatch = {
  /** A whole message has come. */
  heard(): void;
  stop(): void;
};

/** Messages are at most about one megabyte; what is larger lies in files. */
const MOST_BYTES = 256 * 1024 ** 2;
/** A channel carries some hundred megabytes in this time. */
const LOOK_MS = 250;

type Witnesses = { written: number; memory: number };

/**
 * `onFlood` is called at most once, when since the last whole message the runner wrote more than all messages may have, to something that
 * is no disk, and this process's memory grew by as much: either alone has other reasons. Where the system tells no such thing it is silent.
 */
export function watchFlood(pid: number, onFlood: (bytes: number) => void): FloodWatch {
  let hasSpoken = true;
  let before: Witnesses = { written: 0, memory: 0 };
  const look = () => {
    const written = writtenBy(pid);
    if (written === undefined) return stop();
    const now = { written, memory: process.memoryUsage.rss() };
    if (hasSpoken) before = now;
    hasSpoken = false;
    before.memory = Math.min(before.memory, now.memory);
    const grown = Math.min(now.written - before.written, now.memory - before.memory);
    if (grown < MOST_BYTES) return;
    stop();
    onFlood(now.written - before.written);
  };
  const timer = setInterval(look, LOOK_MS);
  timer.unref();
  const stop = () => clearInterval(timer);
  return {
    heard: () => {
      hasSpoken = true;
    },
    stop,
  };
}

/** Bytes that a process wrote, but for those that went to disks; undefined for one that is gone, and where the system does not count. */
function writtenBy(pid: number): number | undefined {
  try {
    const counts = readFileSync(`/proc/${pid}/io`, "utf8");
    const of = (name: string) => Number(new RegExp(`^${name}: (\\d+)$`, "m").exec(counts)?.[1]);
    const bytes = of("wchar") - of("write_bytes");
    return Number.isNaN(bytes) ? undefined : bytes;
  } catch {
    return undefined;
  }
}
