// What a pull tells while it goes on: for terminal bars and event streams.
import { join } from "node:path";
import { type Clock, systemClock } from "../../core/clock.ts";

/** `waiting`: not begun, or another process is at it. `checking`: its hash is being computed. */
export type FileState = "waiting" | "downloading" | "checking" | "done";

export type PullEvent =
  /** Once, first: everything that is wanted, whether here already or not. Of several sources, titles are joined by commas. */
  | { type: "planned"; title: string; commits: string[]; files: { path: string; bytes: number }[]; bytes: number }
  /** At most ten times a second for each file, and at each change of state. `at` and `of` are bytes. */
  | { type: "file"; path: string; state: FileState; at: number; of: number }
  /** A line for people: a wait, a second attempt, a cache that is used. */
  | { type: "notice"; message: string };

const TELL_EVERY_MS = 100;

export type Progress = {
  file(file: { path: string; bytes: number }, state: FileState, at: number): void;
  notice(message: string): void;
};

/** Drops events of the same state that follow too fast. */
export function createProgress(tell: (event: PullEvent) => void, clock: Clock = systemClock): Progress {
  const told = new Map<string, { state: FileState; at: number }>();
  return {
    file({ path, bytes }, state, at) {
      const now = clock.now();
      const last = told.get(path);
      if (last?.state === state && now - last.at < TELL_EVERY_MS) return;
      told.set(path, { state, at: now });
      tell({ type: "file", path, state, at, of: bytes });
    },
    notice: (message) => tell({ type: "notice", message }),
  };
}

/** Of files that lie in a folder of what is told about; "" is its top. */
export const progressIn = ({ file, notice }: Progress, folder: string): Progress => ({
  notice,
  file: ({ path, ...rest }, state, at) => file({ ...rest, path: join(folder, path) }, state, at),
});
