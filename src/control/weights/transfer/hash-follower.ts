// Hashes a file while it is being written, a little behind the end of what is there without a gap.
import type { FileHandle } from "node:fs/promises";
import { createHasher, type Digest, readChunks } from "../disk/digest.ts";

export type HashFollower = {
  /** The first `upTo` bytes are on disk and will not change. Returns at once. */
  follow(upTo: number): void;
  /** Hashes the rest; every byte must be on disk. */
  digest(): Promise<string>;
  /** No read is under way any more; before the file is closed. */
  stop(): Promise<void>;
};

/**
 * Reading back (from the page cache, mostly) costs little beside the hash, works for ranges that arrive out of order and
 * for a file begun by an earlier process, and checks what is on disk and not what was on the wire.
 */
export function createHashFollower({
  file,
  bytes,
  algorithm,
}: {
  file: FileHandle;
  bytes: number;
  algorithm: Digest["algorithm"];
}): HashFollower {
  const hasher = createHasher(algorithm, bytes);
  let hashed = 0;
  let target = 0;
  let running: Promise<void> | undefined;
  let failure: unknown;
  let isStopped = false;

  const run = async () => {
    while (hashed < target && !isStopped) {
      const from = hashed;
      for await (const chunk of readChunks(file, { from, to: target })) {
        hasher.update(chunk);
        hashed += chunk.byteLength;
        if (isStopped) return;
      }
      if (hashed === from) throw new Error(`the file ends at ${from}, before ${target}`);
    }
  };
  const follow = (upTo: number) => {
    target = Math.max(target, upTo);
    running ??= run()
      .catch((error: unknown) => {
        failure = error;
      })
      .finally(() => {
        running = undefined;
      });
  };
  return {
    follow,
    async digest() {
      await running;
      follow(bytes);
      await running;
      if (failure !== undefined) throw failure;
      return hasher.digest("hex");
    },
    async stop() {
      isStopped = true;
      await running;
    },
  };
}
