// Group commit: one transaction a turn, each write undone alone, a full disk noticed by everyone concerned.
import { Database as Sqlite } from "bun:sqlite";
import { afterAll, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createGroupCommit } from "../../../src/control/database/group-commit.ts";
import { type Database, openDatabase } from "../../../src/control/database/open.ts";

const folder = mkdtempSync(join(tmpdir(), "forecourt-commit-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const migrations = [{ version: 1, name: "0000.sql", sql: "CREATE TABLE t (x)" }];
let file = "";
let count = 0;
beforeEach(() => {
  file = join(folder, `${count++}.sqlite`);
});

const open = () => openDatabase({ file, migrations });
const insert = (database: Database, x: unknown) =>
  database.write(() => database.sqlite.run("INSERT INTO t VALUES (?)", [x as string]));
/** As another process sees it: only what is committed. */
function seenByOthers(): unknown[] {
  const other = new Sqlite(file, { readonly: true });
  const rows = other.query("SELECT x FROM t").values();
  other.close();
  return rows.flat();
}

test("writes of one turn are seen at once here, and by others together when committed", async () => {
  using database = open();
  insert(database, 1);
  insert(database, 2);
  expect(database.sqlite.query("SELECT count(*) FROM t").values()).toEqual([[2]]);
  expect(seenByOthers()).toEqual([]);
  await database.committed();
  expect(seenByOthers()).toEqual([1, 2]);
});

test("a write that throws is undone alone", async () => {
  using database = open();
  insert(database, "before");
  const failing = () =>
    database.write(() => {
      insert(database, "inside");
      throw new Error("changed my mind");
    });
  expect(failing).toThrow("changed my mind");
  insert(database, "after");
  await database.committed();
  expect(seenByOthers()).toEqual(["before", "after"]);
});

test("a turn's only write that throws leaves nothing behind, and the turn goes on", async () => {
  using database = open();
  const restored: string[] = [];
  const failing = () =>
    database.write(() => {
      database.onUndone(() => restored.push("outer"));
      insert(database, "undone");
      database.write(() => database.onUndone(() => restored.push("inner")));
      throw new Error("changed my mind");
    });
  expect(failing).toThrow("changed my mind");
  expect(restored).toEqual(["inner", "outer"]);
  const awaited = database.committed();
  insert(database, "after");
  await Promise.all([awaited, database.committed()]);
  expect(seenByOthers()).toEqual(["after"]);
});

test("flush commits without waiting for the turn's end", () => {
  using database = open();
  insert(database, 1);
  database.flush();
  expect(seenByOthers()).toEqual([1]);
});

test("closing commits what is open", () => {
  {
    using database = open();
    insert(database, 1);
  }
  expect(seenByOthers()).toEqual([1]);
});

test("waits of many turns all end, each after its own writes", async () => {
  using database = open();
  const seen: number[] = [];
  const turns = Array.from({ length: 20 }, async (_, at) => {
    for (let step = 0; step < at % 4; step++) await new Promise(setImmediate);
    insert(database, at);
    await database.committed();
    expect(seenByOthers()).toContain(at);
    seen.push(at);
  });
  await Promise.all(turns);
  expect(seen).toHaveLength(20);
});

/** A disk that is ready when the test says so. */
function onSlowDisk() {
  const syncs: PromiseWithResolvers<void>[] = [];
  const later = () => {
    const sync = Promise.withResolvers<void>();
    syncs.push(sync);
    return sync.promise;
  };
  const sqlite = new Sqlite(file, { create: true });
  sqlite.run("CREATE TABLE t (x)");
  const commits = createGroupCommit({ sqlite, sync: { later, now: () => {}, close: () => {} } });
  return { commits, syncs, write: () => commits.write(() => sqlite.run("INSERT INTO t VALUES (1)")) };
}

test("what somebody waits for may be committed in the middle of a turn, but joins the next turns while the disk is busy", async () => {
  const { commits, syncs, write } = onSlowDisk();
  write();
  const first = commits.committed();
  expect(seenByOthers()).toEqual([]);
  commits.early();
  expect(seenByOthers()).toEqual([1]);
  expect(syncs).toHaveLength(1);
  write();
  const second = commits.committed();
  commits.early();
  expect(seenByOthers()).toEqual([1]);
  syncs[0]?.resolve();
  await first;
  await commits.written();
  expect(seenByOthers()).toEqual([1, 1]);
  syncs[1]?.resolve();
  await second;
});

test("what nobody waits for is committed, and on disk only when somebody asks or a moment has passed", async () => {
  const { commits, syncs, write } = onSlowDisk();
  write();
  await commits.written();
  expect(syncs).toHaveLength(0);
  expect(seenByOthers()).toEqual([1]);
  let isOnDisk = false;
  const onDisk = commits.committed().then(() => {
    isOnDisk = true;
  });
  expect(syncs).toHaveLength(1);
  await new Promise(setImmediate);
  expect(isOnDisk).toBe(false);
  syncs[0]?.resolve();
  await onDisk;
  const soon = new Promise<void>((resolve) => {
    const poll = setInterval(() => {
      if (syncs.length < 2) return;
      clearInterval(poll);
      resolve();
    }, 1);
  });
  write();
  await soon;
});

/** SQLite's own limit fails as a full disk does. */
function fillDisk(database: Database): () => void {
  const pages = Number(database.sqlite.query("PRAGMA page_count").values()[0]?.[0]);
  database.sqlite.run(`PRAGMA max_page_count = ${pages}`);
  return () => database.sqlite.run("PRAGMA max_page_count = 1000000");
}

test("on a full disk the writers of that turn fail, the listeners hear of it, and later writes work again", async () => {
  using database = open();
  insert(database, "kept");
  await database.committed();
  const losses: string[] = [];
  database.onLost(({ code }) => losses.push(code));
  const makeSpace = fillDisk(database);
  insert(database, "same turn");
  const sameTurn = database.committed();
  expect(() => insert(database, "x".repeat(100_000))).toThrow(/full/);
  await expect(sameTurn).rejects.toThrow(/could not be written.*Is the disk full/);
  expect(losses).toEqual(["unavailable"]);
  makeSpace();
  insert(database, "later");
  await database.committed();
  expect(seenByOthers()).toEqual(["kept", "later"]);
});
