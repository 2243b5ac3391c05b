// Going back to the version before an update: which database comes back, what that costs, and that nothing is lost unsaid or for good.
import { Database as Sqlite } from "bun:sqlite";
import { afterAll, beforeEach, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { snapshotFile } from "../../../src/control/database/migrate.ts";
import { migrationFiles } from "../../../src/control/database/migrations.macro.ts" with { type: "macro" };
import { databaseFile, openDatabase } from "../../../src/control/database/open.ts";
import { examineDatabase } from "../../../src/control/database/snapshot.ts";
import { createKeys } from "../../../src/control/keys/keys.ts";
import { releasesOf } from "../../../src/control/rollback/releases.ts";
import { carryOut, planRollback } from "../../../src/control/rollback/rollback.ts";
import { createTestClock } from "../../support/test-clock.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "forecourt-rollback-")));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const MIGRATIONS = migrationFiles();
const newest = MIGRATIONS.length;
const older = newest - 1;
const now = new Date("2026-01-02T03:04:05Z");

let data = "";
let prefix = "";
let count = 0;
beforeEach(() => {
  data = join(folder, `data-${count}`);
  prefix = join(folder, `prefix-${count++}`);
});

/** What install.sh leaves after an update. */
function updated() {
  const release = (name: string) => {
    const program = join(prefix, "lib/forecourt", name, "forecourt");
    mkdirSync(join(program, ".."), { recursive: true });
    writeFileSync(program, name, { mode: 0o755 });
    return program;
  };
  const [previous, current] = [release("1.0.0-aaa"), release("1.1.0-bbb")];
  mkdirSync(join(prefix, "bin"));
  symlinkSync(current, join(prefix, "bin/forecourt"));
  symlinkSync(previous, join(prefix, "lib/forecourt/previous"));
  return { previous, current, link: join(prefix, "bin/forecourt"), mark: join(prefix, "lib/forecourt/previous") };
}

/** The database as the older version keeps it, with the keys `old` and `stolen`; then what the newer one does with it. */
function migrated(meanwhile: (keys: ReturnType<typeof createKeys>) => void = () => {}) {
  const clock = createTestClock();
  const file = databaseFile(data);
  {
    using database = openDatabase({ file, migrations: MIGRATIONS.slice(0, older) });
    const keys = createKeys({ database, clock });
    for (const name of ["old", "stolen"]) keys.create({ name, scope: "api" });
  }
  using database = openDatabase({ file });
  meanwhile(createKeys({ database, clock }));
  return file;
}

const namesIn = (file: string) => {
  using sqlite = new Sqlite(file, { readonly: true });
  return sqlite.query("SELECT name FROM api_key ORDER BY name").values().flat();
};

test("a database that the older version reads stays as it is: only the executable changes", async () => {
  const file = migrated();
  const { previous, current, link, mark } = updated();
  const plan = planRollback({ data, known: newest });
  expect(plan).toEqual({});
  expect(await carryOut(plan, { data, releases: releasesOf(link), now })).toBeUndefined();
  expect([readlinkSync(link), existsSync(mark), existsSync(current)]).toEqual([previous, false, true]);
  expect(examineDatabase(file).schema).toBe(newest);
  expect(() => releasesOf(link)).toThrow("no version to go back to");
});

test("where there is no database yet there is none to bring back", () => {
  expect(planRollback({ data, known: older })).toEqual({});
});

test("the copy from before comes back, once it is said what was added since and which keys become what they were", async () => {
  const file = migrated((keys) => {
    keys.create({ name: "new", scope: "api" });
    const stolen = keys.list().find(({ name }) => name === "stolen");
    if (stolen) keys.revoke(stolen.id);
  });
  const { link } = updated();
  const plan = planRollback({ data, known: older });
  expect(plan.database).toMatchObject({
    copy: snapshotFile(file, older),
    lost: [{ table: "api_key", rows: 1 }],
    keysAsBefore: ["stolen"],
  });
  expect([namesIn(file), examineDatabase(file).schema]).toEqual([["new", "old", "stolen"], newest]);

  const kept = (await carryOut(plan, { data, releases: releasesOf(link), now })) ?? "";
  expect(examineDatabase(file).schema).toBe(older);
  {
    using database = openDatabase({ file, migrations: MIGRATIONS.slice(0, older) });
    expect(
      createKeys({ database, clock: createTestClock() })
        .list()
        .map(({ name }) => name)
        .sort(),
    ).toEqual(["old", "stolen"]);
  }
  expect(namesIn(join(kept, "forecourt.sqlite"))).toEqual(["new", "old", "stolen"]);
  expect(existsSync(snapshotFile(file, older))).toBe(true);
});

test("ended between the two changes, it goes on where it was", async () => {
  const file = migrated();
  const { link, previous } = updated();
  const releases = releasesOf(link);
  const plan = planRollback({ data, known: older });
  // As if the program were gone: the last rename fails.
  await expect(carryOut(plan, { data, releases: { ...releases, link: join(prefix, "bin") }, now })).rejects.toThrow();
  expect([examineDatabase(file).schema, readlinkSync(link)]).toEqual([older, releases.current]);
  await carryOut(planRollback({ data, known: older }), { data, releases: releasesOf(link), now });
  expect([examineDatabase(file).schema, readlinkSync(link)]).toEqual([older, previous]);
});

test("of several copies the newest that the older version reads is taken", () => {
  const file = migrated();
  writeFileSync(snapshotFile(file, older - 2), "from long ago");
  expect(planRollback({ data, known: older }).database?.copy).toBe(snapshotFile(file, older));
  // A version that knows more than the database had, and never ran on it.
  renameSync(snapshotFile(file, older), snapshotFile(file, older - 1));
  expect(planRollback({ data, known: older }).database?.copy).toBe(snapshotFile(file, older - 1));
});

test("without a copy nothing is changed", () => {
  const file = migrated();
  rmSync(snapshotFile(file, older));
  expect(() => planRollback({ data, known: older })).toThrow(/cannot read .*\(schema \d+, it knows \d+\)/);
});

test("a copy that is damaged is no way back", () => {
  const file = migrated();
  writeFileSync(snapshotFile(file, older), "no database at all, whatever its name says. ".repeat(200));
  expect(() => planRollback({ data, known: older })).toThrow(/is damaged/);
  expect(examineDatabase(file).schema).toBe(newest);
});

test("only a program that install.sh put in place, and that the link leads to, goes back", () => {
  expect(() => releasesOf(process.execPath)).toThrow("was not put in place by install.sh");
  const { previous, mark } = updated();
  expect(() => releasesOf(previous)).toThrow("is not what");
  rmSync(previous);
  expect(() => releasesOf(join(prefix, "bin/forecourt"))).toThrow(`${mark} leads nowhere`);
});
