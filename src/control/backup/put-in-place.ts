// Files of the data directory replaced by those of a stage: what was there keeps a second name, the database comes last and at once.
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lchownSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { settleLog } from "../database/snapshot.ts";
import { DATABASE } from "./contents.ts";

/** Where `work` keeps what it replaces. */
export const keptFolder = (data: string, work: "restore" | "rollback", now: Date) =>
  join(data, `before-${work}-${now.toISOString().replaceAll(/[:.]/g, "-")}`);

type Places = { stage: string; data: string; kept: string };

export function putInPlace(name: string, { stage, data, kept }: Places): void {
  const target = join(data, name);
  keepOld(name, { data, kept });
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  onOneDisk(join(stage, name), target, renameSync);
}

/** The file that is there gets a second name, so that it is never missing. */
function keepOld(name: string, { data, kept }: Omit<Places, "stage">): void {
  const target = join(data, name);
  if (!existsSync(target)) return;
  mkdirSync(dirname(join(kept, name)), { recursive: true, mode: 0o700 });
  onOneDisk(target, join(kept, name), linkSync);
}

/** A folder of the data directory may be a link to another disk: then the content is copied there first, beside its place. */
function onOneDisk(from: string, to: string, put: (from: string, to: string) => void): void {
  try {
    put(from, to);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EXDEV")) throw error;
    const copy = `${to}.restoring`;
    try {
      copyFileSync(from, copy);
      put(copy, to);
    } finally {
      rmSync(copy, { force: true });
    }
  }
}

/** For whoever holds the lock of `data`. */
export function putDatabaseInPlace({ stage, data, kept }: Places): void {
  const target = join(data, DATABASE);
  settleLog(target);
  keepOld(DATABASE, { data, kept });
  // A log belongs to one file alone: SQLite would mix this one into the other.
  for (const end of ["-wal", "-shm"]) {
    keepOld(`${DATABASE}${end}`, { data, kept });
    rmSync(`${target}${end}`, { force: true });
  }
  chmodSync(join(stage, DATABASE), 0o600);
  renameSync(join(stage, DATABASE), target);
}

/** Root does it for the account of the service, to which the data directory belongs and which is to read all of this. Before the database is put in place. */
export function giveToOwner(names: readonly string[], { stage, data }: Omit<Places, "kept">): void {
  const { uid, gid } = statSync(data);
  if (process.getuid?.() !== 0 || uid === 0) return;
  const placed = ["server.lock", ...names.flatMap(pathsTo)].map((path) => join(data, path));
  const paths = [join(stage, DATABASE), ...placed];
  for (const path of new Set(paths)) if (existsSync(path)) lchownSync(path, uid, gid);
}

/** `files`, `files/token` and `files/token/a.png` for the last of them. */
const pathsTo = (name: string) => name.split("/").map((_, at, parts) => parts.slice(0, at + 1).join("/"));
