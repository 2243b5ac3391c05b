// What the files of a database come down to, once what was in them is gone.
import { Database as Sqlite } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Database, openDatabase } from "../../../src/control/database/open.ts";
import { snapshotInto } from "../../../src/control/database/snapshot.ts";
import { MIB } from "../../../src/core/units.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "forecourt-shrink-"));
  file = join(folder, "forecourt.sqlite");
});
afterEach(() => rmSync(folder, { recursive: true }));

const megabytes = (path: string) => Math.round(statSync(path).size / MIB);
const fill = ({ sqlite, write }: Pick<Database, "sqlite" | "write">, count: number) =>
  write(() => {
    for (let n = 0; n < count; n++) sqlite.run("INSERT INTO ballast VALUES (zeroblob(1048576))");
  });

function shrinkAll({ write, flush, shrink }: Database): number {
  let steps = 0;
  while (write(shrink)) {
    flush();
    steps++;
  }
  return steps;
}

test("a database gives back what was removed from it, in small steps, but for what its next rows will need", () => {
  const database = openDatabase({ file });
  database.sqlite.run("CREATE TABLE ballast (content BLOB)");
  fill(database, 100);
  database.flush();
  expect(shrinkAll(database)).toBe(0);
  database.write(() => database.sqlite.run("DELETE FROM ballast"));
  database.flush();
  expect(shrinkAll(database)).toBeGreaterThan(100);
  expect(shrinkAll(database)).toBe(0);
  database[Symbol.dispose]();
  expect(megabytes(file)).toBeWithin(15, 20);
});

test("one that was made without that stays as large, at no cost; a copy of it can shrink", () => {
  {
    using old = new Sqlite(file, { create: true });
    old.run("PRAGMA journal_mode = WAL");
    old.run("CREATE TABLE ballast (content BLOB)");
  }
  const copy = join(folder, "copy.sqlite");
  const database = openDatabase({ file });
  fill(database, 30);
  database.flush();
  snapshotInto(database.sqlite, copy);
  database.write(() => database.sqlite.run("DELETE FROM ballast"));
  database.flush();
  expect(shrinkAll(database)).toBe(0);
  database[Symbol.dispose]();
  expect(megabytes(file)).toBeGreaterThan(29);
  const restored = openDatabase({ file: copy });
  restored.write(() => restored.sqlite.run("DELETE FROM ballast"));
  restored.flush();
  expect(shrinkAll(restored)).toBeGreaterThan(0);
  restored[Symbol.dispose]();
});

test("the log of changes, which grows while somebody reads, comes down again", () => {
  const database = openDatabase({ file });
  database.sqlite.run("CREATE TABLE ballast (content BLOB)");
  {
    using reader = new Sqlite(file, { readonly: true });
    reader.run("BEGIN");
    reader.query("SELECT count(*) FROM ballast").get();
    fill(database, 100);
    database.flush();
    expect(megabytes(`${file}-wal`)).toBeGreaterThan(99);
  }
  for (let n = 0; n < 3; n++) {
    fill(database, 1);
    database.flush();
  }
  expect(megabytes(`${file}-wal`)).toBeLessThan(65);
  database[Symbol.dispose]();
});
