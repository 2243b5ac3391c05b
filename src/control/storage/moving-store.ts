// A bucket with this box's disk before it: what is written here is read here until it has moved.
import { readdir, rmdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Timers } from "../../core/clock.ts";
import { ForecourtError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import { milliseconds } from "../../core/units.ts";
import type { DiskStore } from "./disk-store.ts";
import type { FileStore } from "./file-store.ts";

export type MovingStore = FileStore & {
  start(): void;
  /** Resolves when the file that is under way has been moved, or not. */
  stop(): Promise<void>;
  /** One round; resolves to how many files were moved. Throws when one could not be, after all that could. */
  move(): Promise<number>;
};

export type MovingStoreParts = {
  local: DiskStore;
  remote: FileStore;
  /** Folders below `local` whose files are moved: one folder in each for every token. */
  folders: string[];
  /** Folders into which somebody still writes. */
  openTokens(): Set<string>;
  timers: Timers;
  log: Log;
};

const PERIOD = milliseconds(2_000);
/** When so many files in a row cannot be moved the store is down. */
const GIVEN_UP = 3;
/** While the store is down. */
const LONGEST_PERIOD = milliseconds(60_000);

/** Files wait on the disk for as long as the store is down, also across restarts; jobs do not notice. */
export function createMovingStore({ timers, log, ...parts }: MovingStoreParts): MovingStore {
  const { local, remote } = parts;
  const { moved, move } = createMoves({ ...parts, isStopped: () => isStopped });
  let running: Promise<unknown> = Promise.resolve();
  let cancel = () => {};
  let isStopped = false;
  let period = PERIOD;

  const holder = async (name: string): Promise<FileStore> =>
    !moved.has(name) && (await local.find(name)) !== undefined ? local : remote;
  const round = async () => {
    try {
      const count = await move();
      if (period > PERIOD) log.info("the file store is back", { store: remote.place });
      if (count > 0) log.debug("files moved to the store", { files: count });
      period = PERIOD;
    } catch (error) {
      log.warn("files wait on this disk: the file store cannot be used", { error: String(error) });
      period = milliseconds(Math.min(period * 2, LONGEST_PERIOD));
    }
    if (!isStopped) plan();
  };
  const plan = () => {
    cancel = timers.after(period, () => {
      running = round();
    });
  };

  return {
    place: remote.place,
    put: remote.put,
    async find(name) {
      const here = moved.has(name) ? undefined : await local.find(name);
      return here ?? (await remote.find(name));
    },
    read: async (name, range) => (await holder(name)).read(name, range),
    take: async (name, to) => (await holder(name)).take(name, to),
    move,
    start() {
      isStopped = false;
      plan();
    },
    async stop() {
      isStopped = true;
      cancel();
      await running;
    },
  };
}

type MoveParts = Pick<MovingStoreParts, "local" | "remote" | "folders" | "openTokens"> & {
  /** Between two files. */
  isStopped(): boolean;
};

/** `moved`: read from the store from now on, although the local copy is still there for those who are reading it. */
function createMoves({ local, remote, folders, openTokens, isStopped }: MoveParts) {
  const moved = new Set<string>();

  const visible = async (folder: string) =>
    (await readdir(local.pathOf(folder)).catch(() => []))
      .filter((name) => !name.startsWith("."))
      .map((name) => join(folder, name));
  /** Those who read the local copy when it was moved have been served since. */
  const forgetMoved = async () => {
    for (const name of moved) {
      await local.remove(name);
      await rmdir(dirname(local.pathOf(name))).catch(() => {}); // others are in it
      moved.delete(name);
    }
  };
  /** What is removed meanwhile goes from the store in its turn, if it came there. */
  const moveFile = async (name: string) => {
    try {
      await remote.put(name, local.pathOf(name));
    } catch (error) {
      if (isGone(error) || (await local.find(name)) === undefined) return false;
      throw error;
    }
    if ((await local.find(name)) !== undefined) moved.add(name);
    return true;
  };
  return {
    moved: moved as ReadonlySet<string>,
    async move(): Promise<number> {
      await forgetMoved();
      // In this order: a folder that is seen and belongs to no open job is complete.
      const seen = (await Promise.all(folders.map(visible))).flat();
      if (seen.length === 0) return 0;
      const open = openTokens();
      let [count, inARow] = [0, 0];
      let failure: unknown;
      for (const folder of seen.filter((each) => !open.has(basename(each))))
        for (const name of await visible(folder)) {
          if (isStopped()) return count;
          if ((await local.find(name)) === undefined) continue;
          try {
            if (await moveFile(name)) count++;
            inARow = 0;
          } catch (error) {
            // The store may refuse one file, for its size or its name, and take all others.
            failure ??= error;
            if (++inARow === GIVEN_UP) throw failure;
          }
        }
      if (failure !== undefined) throw failure;
      return count;
    },
  };
}

const isGone = (error: unknown) => error instanceof ForecourtError && error.code === "not_found";
