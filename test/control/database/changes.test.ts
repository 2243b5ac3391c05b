// Whether another process has written, told without asking SQLite each time: never missed, and never said of our own writes.
import { Database as Sqlite } from "bun:sqlite";
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Changes, createChanges } from "../../../src/control/database/changes.ts";
import { createGroupCommit } from "../../../src/control/database/group-commit.ts";
import { openDatabase } from "../../../src/control/database/open.ts";
import { openWalIndex } from "../../../src/control/database/wal-index.ts";
import { noSync } from "../../../src/control/database/wal-sync.ts";

const folder = mkdtempSync(join(tmpdir(), "forecourt-changes-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const migrations = [{ version: 1, name: "0000.sql", sql: "CREATE TABLE t (x)" }];

test("another process's commit is seen at the next look, in the same turn of the event loop too", () => {
  const file = join(folder, "process.sqlite");
  using database = openDatabase({ file, migrations });
  const before = database.changes();
  expect(database.changes()).toBe(before);
  const code = `new (require("bun:sqlite").Database)(${JSON.stringify(file)}).run("INSERT INTO t VALUES (1)")`;
  const { exitCode } = Bun.spawnSync([process.execPath, "-e", code]);
  expect(exitCode).toBe(0);
  expect(database.changes()).not.toBe(before);
});

/** Small, and the same in every run. */
function createDice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 16) % sides;
  };
}

type Box = { ours: ReturnType<typeof createGroupCommit>; sqlite: Sqlite; other: Sqlite };

/** What may happen between two looks, and whether another process has committed by it. */
const HAPPENINGS: ((box: Box) => boolean)[] = [
  ({ other }) => {
    other.run("INSERT INTO t VALUES ('theirs')");
    return true;
  },
  ({ ours, sqlite }) => {
    ours.write(() => sqlite.run("INSERT INTO t VALUES ('ours')"));
    ours.flush();
    return false;
  },
  ({ ours, sqlite }) => {
    for (let n = 0; n < 3; n++) ours.write(() => sqlite.run("INSERT INTO t VALUES ('ours')"));
    ours.flush();
    return false;
  },
  ({ ours }) => {
    ours.write(() => undefined);
    ours.flush();
    return false;
  },
  ({ ours, sqlite }) => {
    const failing = () =>
      ours.write(() => {
        sqlite.run("INSERT INTO t VALUES ('undone')");
        throw new Error("changed my mind");
      });
    expect(failing).toThrow();
    return false;
  },
  ({ sqlite }) => {
    sqlite.run("PRAGMA wal_checkpoint(TRUNCATE)");
    return false;
  },
  ({ other }) => {
    other.run("PRAGMA wal_checkpoint(RESTART)");
    return false;
  },
  ({ other, ours, sqlite }) => {
    other.run("INSERT INTO t VALUES ('theirs')");
    ours.write(() => sqlite.run("INSERT INTO t VALUES ('ours')"));
    ours.flush();
    return true;
  },
  ({ other, ours, sqlite }) => {
    ours.write(() => sqlite.run("INSERT INTO t VALUES ('ours')"));
    ours.flush();
    other.run("INSERT INTO t VALUES ('theirs')");
    other.run("PRAGMA wal_checkpoint(TRUNCATE)");
    return true;
  },
];

test("in 2,000 random orders of writes, undone writes and checkpoints of two connections it tells exactly the other's", () => {
  const file = join(folder, "random.sqlite");
  openDatabase({ file, migrations })[Symbol.dispose]();
  const sqlite = new Sqlite(file);
  const other = new Sqlite(file);
  for (const each of [sqlite, other]) each.run("PRAGMA synchronous = OFF");
  sqlite.run("SELECT 1 FROM t");
  const index = openWalIndex(file);
  expect(index).toBeDefined();
  let asked = 0;
  const spied = new Proxy(sqlite, {
    get(target, name) {
      if (name !== "prepare") return Reflect.get(target, name, target);
      return (text: string) => {
        const statement = target.prepare(text);
        return {
          get: () => {
            asked++;
            return statement.get();
          },
        };
      };
    },
  });
  const changes: Changes = createChanges(spied, index);
  const ours = createGroupCommit({ sqlite, sync: noSync, committing: changes.committing });
  const dice = createDice(7);
  let version = changes.version();
  for (let round = 0; round < 2_000; round++) {
    const isTheirs = HAPPENINGS[dice(HAPPENINGS.length)]?.({ ours, sqlite, other });
    const now = changes.version();
    expect({ round, hasChanged: now !== version }).toEqual({ round, hasChanged: isTheirs ?? false });
    version = now;
  }
  // Of what this process does, only what leaves no trace in the log makes it ask.
  expect(asked).toBeLessThan(2_000 / 2);
  sqlite.close();
  other.close();
  index?.close();
});
