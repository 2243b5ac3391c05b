// How far a pull is, as a sum of what it told so far.
import type { FileState, PullEvent } from "./progress.ts";

export type FileTally = { path: string; state: FileState; at: number; of: number };

export type Tally = {
  take(event: PullEvent): void;
  /** Undefined until it is known what is wanted. `at` and `of` are bytes; files are in the listing's order. */
  now(): { at: number; of: number; files: FileTally[] } | undefined;
  /** What it waits for, while no bytes come. */
  notice(): string | undefined;
};

export function createTally(): Tally {
  let isPlanned = false;
  let notice: string | undefined;
  const files = new Map<string, FileTally>();
  return {
    take(event) {
      notice = event.type === "notice" ? event.message : undefined;
      if (event.type === "planned") {
        isPlanned = true;
        for (const { path, bytes } of event.files) files.set(path, { path, state: "waiting", at: 0, of: bytes });
      }
      if (event.type === "file") {
        const { path, state, at, of } = event;
        files.set(path, { path, state, at, of });
      }
    },
    now() {
      if (!isPlanned) return undefined;
      const all = [...files.values()];
      // A file that is being hashed is here: its position in the hash is not that of the download.
      const at = all.reduce((sum, file) => sum + (file.state === "checking" ? file.of : file.at), 0);
      return { at, of: all.reduce((sum, file) => sum + file.of, 0), files: all };
    },
    notice: () => notice,
  };
}
