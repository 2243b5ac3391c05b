// What is committed but not yet on disk: waited for when somebody asks, or a moment later for all that nobody asked for.
import type { WalSync } from "./wal-sync.ts";

/** What nobody asks for is on disk this much later at the latest. */
const UNASKED_MS = 50;

export type DiskWaits = {
  /** It waits for the disk just now. */
  isBusy(): boolean;
  /** To be resolved when what is committed by now is on disk. `isAwaited`: as with `ask`. */
  add(committed: PromiseWithResolvers<void>, isAwaited: boolean): void;
  /** Waits for the disk on behalf of all that was added. */
  ask(): void;
  /** It is on disk, by other means. */
  done(): void;
  /** When the disk is idle: at the end of this turn of the event loop, or after the wait that it is busy with. */
  afterCurrent(work: () => void): void;
};

/** `lost` makes the error that the waiting ones see of one of the disk's. */
export function createDiskWaits(sync: Pick<WalSync, "later">, lost: (error: unknown) => Error): DiskWaits {
  let current: Promise<void> | undefined;
  let added: PromiseWithResolvers<void>[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;

  const settle = (done: Promise<void>) => {
    clearTimeout(timer);
    for (const { resolve } of added) resolve(done);
    added = [];
  };
  const ask = () => {
    if (added.length === 0) return;
    const done = sync.later().catch((error) => {
      throw lost(error);
    });
    const over = () => {
      if (current === done) current = undefined;
    };
    current = done;
    done.then(over, over);
    settle(done);
  };

  return {
    isBusy: () => current !== undefined,
    add(committed, isAwaited) {
      added.push(committed);
      if (isAwaited) ask();
      else if (added.length === 1) timer = setTimeout(ask, UNASKED_MS);
    },
    ask,
    done: () => settle(Promise.resolve()),
    afterCurrent(work) {
      if (current) current.then(work, work);
      else setImmediate(work);
    },
  };
}
