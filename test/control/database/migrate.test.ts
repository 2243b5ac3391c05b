// Migrations: all or nothing, never backwards, with a copy of what was there.
import { Database as Sqlite } from "bun:sqlite";
import { afterAll, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { snapshotFile } from "../../../src/control/database/migrate.ts";
import { migrationFiles } from "../../../src/control/database/migrations.macro.ts" with { type: "macro" };
import type { Migration } from "../../../src/control/database/migrations.macro.ts";
import { openDatabase } from "../../../src/control/database/open.ts";
import { createExperienceStore } from "../../../src/control/scheduler/experience-store.ts";
import { asId, type ModelId } from "../../../src/core/ids.ts";
import { instant } from "../../../src/core/units.ts";

const folder = mkdtempSync(join(tmpdir(), "forecourt-migrate-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const first: Migration = { version: 1, name: "0000_a.sql", sql: "CREATE TABLE a (x integer);" };
const second: Migration = {
  version: 2,
  name: "0001_b.sql",
  sql: "ALTER TABLE a ADD y integer; UPDATE a SET y = x * 2;",
};
const broken: Migration = { version: 2, name: "0001_b.sql", sql: "UPDATE a SET x = 0; ALTER TABLE nowhere ADD y;" };

let file = "";
let count = 0;
beforeEach(() => {
  file = join(folder, `${count++}`, "test.sqlite");
});

const open = (...migrations: Migration[]) => openDatabase({ file, migrations });
const versionOf = (database: ReturnType<typeof open>) => database.sqlite.query("PRAGMA user_version").values()[0]?.[0];

test("the real migrations make a database that only its owner can read", () => {
  using database = openDatabase({ file });
  expect(versionOf(database)).toBe(migrationFiles().length);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(database.sqlite.query("PRAGMA journal_mode").values()).toEqual([["wal"]]);
  expect(database.sqlite.query("PRAGMA foreign_keys").values()).toEqual([[1]]);
});

test("the embedded migrations are the files of the folder, without gaps", () => {
  expect(migrationFiles().map(({ name }) => name)).toContain("0000_jobs_and_keys.sql");
  expect(migrationFiles().map(({ version }) => version)).toEqual(migrationFiles().map((_, at) => at + 1));
});

test("a newer schema is applied to what is there, after a copy of it", () => {
  {
    using database = open(first);
    database.sqlite.run("INSERT INTO a VALUES (21)");
  }
  using database = open(first, second);
  expect(database.sqlite.query("SELECT y FROM a").values()).toEqual([[42]]);
  const copy = new Sqlite(snapshotFile(file, 1), { readonly: true });
  expect(copy.query("SELECT * FROM a").values()).toEqual([[21]]);
  expect(statSync(snapshotFile(file, 1)).mode & 0o777).toBe(0o600);
  copy.close();
});

test("a fresh or current database leaves no copy", () => {
  open(first, second)[Symbol.dispose]();
  open(first, second)[Symbol.dispose]();
  expect(existsSync(snapshotFile(file, 0)) || existsSync(snapshotFile(file, 2))).toBe(false);
});

test("what keys had filled before it was counted is counted at once", () => {
  {
    using database = openDatabase({ file, migrations: migrationFiles().filter(({ version }) => version <= 14) });
    database.sqlite.run(`
      INSERT INTO conversation VALUES ('one', 'k', '{"ä":"b"}', 1, 1), ('two', 'k', '{}', 1, 1), ('three', 'l', '{}', 1, 1);
      INSERT INTO conversation_item VALUES ('one', 1, 0, 'a', '{"id":"é"}', NULL, NULL, 1), ('one', 2, 0, NULL, NULL, 'job', 1, 1);
      INSERT INTO upload VALUES
        ('t', 's', 'k', 'n', 'n', 'c', 'a', 1, NULL, NULL, 1, 100, 'd'), ('u', 'v', 'k', 'n', 'n', 'c', 'a', 1, NULL, NULL, NULL, NULL, NULL);`);
  }
  using database = openDatabase({ file });
  expect(database.sqlite.query("SELECT * FROM room ORDER BY part, key").values()).toEqual([
    ["k", "conversations", 512 + 10 + 512 + 11 + 512 + 512 + 2],
    ["l", "conversations", 512 + 2],
    ["k", "uploads", 16_384 + 100 + 16_384],
  ]);
});

test("a migration that fails changes nothing and says which it was", () => {
  {
    using database = open(first);
    database.sqlite.run("INSERT INTO a VALUES (21)");
  }
  expect(() => open(first, broken)).toThrow(/0001_b.sql .* failed: no such table: nowhere.*Nothing was changed/);
  using database = open(first);
  expect(versionOf(database)).toBe(1);
  expect(database.sqlite.query("SELECT x FROM a").values()).toEqual([[21]]);
});

test("without room for the copy nothing is migrated", () => {
  {
    using database = open(first);
    database.sqlite.run("INSERT INTO a VALUES (21)");
  }
  // A folder in the copy's place fails as a full disk does.
  mkdirSync(join(snapshotFile(file, 1), "in the way"), { recursive: true });
  expect(() => open(first, second)).toThrow(/was not migrated, because the copy .* could not be written/);
  rmSync(snapshotFile(file, 1), { recursive: true });
  using database = open(first);
  expect(versionOf(database)).toBe(1);
  expect(database.sqlite.query("SELECT * FROM a").values()).toEqual([[21]]);
});

test("a database of a newer version is refused and stays untouched", () => {
  open(first, second)[Symbol.dispose]();
  expect(() => open(first)).toThrow(/written by a newer Forecourt \(schema 2, this version knows 1\)/);
  using database = open(first, second);
  expect(versionOf(database)).toBe(2);
});

test("the way back from a newer version is the copy that it made, and leads back", () => {
  {
    using old = open(first);
    old.sqlite.run("INSERT INTO a VALUES (21)");
  }
  open(first, second)[Symbol.dispose]();
  const copy = snapshotFile(file, 1);
  expect(() => open(first)).toThrow(`move ${copy} to ${file} and remove ${file}-wal and ${file}-shm`);
  renameSync(copy, file);
  for (const beside of ["-wal", "-shm"]) rmSync(`${file}${beside}`, { force: true });
  using database = open(first);
  expect(versionOf(database)).toBe(1);
  expect(database.sqlite.query("SELECT * FROM a").values()).toEqual([[21]]);
});

test("a file that is not a database is refused with its name", () => {
  open(first)[Symbol.dispose]();
  writeFileSync(file, "this is a text and not a database. ".repeat(100));
  expect(() => open(first)).toThrow(/test.sqlite cannot be opened/);
});

test("rebuilding a table does not delete the rows that refer to it", () => {
  const tables =
    "CREATE TABLE p (id integer primary key); CREATE TABLE c (p integer REFERENCES p(id) ON DELETE CASCADE);";
  const rebuild =
    "CREATE TABLE n (id integer primary key, z); INSERT INTO n (id) SELECT id FROM p; DROP TABLE p; ALTER TABLE n RENAME TO p;";
  const one = { version: 1, name: "0000.sql", sql: tables };
  {
    using database = open(one);
    database.sqlite.run("INSERT INTO p VALUES (1); INSERT INTO c VALUES (1);");
  }
  using database = open(one, { version: 2, name: "0001.sql", sql: rebuild });
  expect(database.sqlite.query("SELECT count(*) FROM c").values()).toEqual([[1]]);
});

test("what an earlier version knew of models' popularity is taken over", () => {
  const all = migrationFiles();
  const at = all.findIndex(({ name }) => name === "0011_model_sittings.sql");
  {
    using database = open(...all.slice(0, at));
    database.sqlite.run(
      "INSERT INTO model_popularity (model, sitting, hour, day, at) VALUES ('lab/a', 1, 4, 30, 172800000)",
    );
  }
  using database = open(...all);
  expect(createExperienceStore(database).popularity()).toEqual([
    [
      asId<ModelId>("lab/a"),
      { lately: 4, long: 30, followed: 15, requests: 30, at: instant(172_800_000), since: instant(86_400_000) },
    ],
  ]);
});
