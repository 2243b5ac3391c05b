// Backup and restore: whole, consistent, private; nothing is changed by a backup that is not sound.
import { Database as Sqlite } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { backup } from "../../../src/control/backup/backup.ts";
import { restore } from "../../../src/control/backup/restore.ts";
import { exportModels } from "../../../src/control/bundle/export-models.ts";
import { lockData } from "../../../src/control/database/lock.ts";
import { createTestAppliance, type TestAppliance } from "../../support/create-test-appliance.ts";
import { testModel } from "../../support/test-models.ts";

const folder = mkdtempSync(join(tmpdir(), "forecourt-backup-"));
const archive = join(folder, "box.tar");
const now = new Date("2026-01-02T03:04:05Z");
let box: TestAppliance;

beforeAll(async () => {
  box = await createTestAppliance();
  mkdirSync(join(box.data, "models"));
  writeFileSync(join(box.data, "models/own.yaml"), testModel("me/own").text);
  writeFileSync(join(box.data, "appliance.yaml"), "jobs:\n  retries: 5\n");
  mkdirSync(join(box.data, "files/abcdefghijklmnopqrstuv"), { recursive: true });
  writeFileSync(join(box.data, "files/abcdefghijklmnopqrstuv/a.png"), Buffer.alloc(70_001, 7));
  mkdirSync(join(box.data, "weights/models--x"), { recursive: true });
  writeFileSync(join(box.data, "weights/models--x/large.bin"), "can be fetched again");
  await backup({ data: box.data, to: archive, withFiles: true, version: "1.2.3", now });
});
afterAll(async () => {
  await box[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

let count = 0;
const newPlace = () => join(folder, `place-${count++}`);
const contents = (place: string) =>
  readdirSync(place, { recursive: true, encoding: "utf8" })
    .filter((name) => statSync(join(place, name)).isFile())
    .sort();

test("a backup of a running box comes back byte for byte, in a place of its own, for its owner's eyes only", async () => {
  const data = newPlace();
  const { manifest, kept } = await restore({ data, from: archive, now });
  expect(kept).toBeUndefined();
  expect(manifest).toMatchObject({ version: "1.2.3", madeAt: now.toISOString(), withFiles: true });
  for (const name of [
    "token.secret",
    "webhook.key",
    "appliance.yaml",
    "models/own.yaml",
    "files/abcdefghijklmnopqrstuv/a.png",
  ])
    expect(readFileSync(join(data, name)).equals(readFileSync(join(box.data, name)))).toBe(true);
  expect(existsSync(join(data, "weights"))).toBe(false);
  for (const name of contents(data).filter((each) => !each.startsWith("server.lock")))
    expect(`${name} ${(statSync(join(data, name)).mode & 0o777).toString(8)}`).toBe(`${name} 600`);
  expect(statSync(archive).mode & 0o777).toBe(0o600);
  await using again = await createTestAppliance({ data });
  expect(again.keys.verify(box.apiKey).name).toBe("test");
});

test("tar reads it too", () => {
  const { stdout, exitCode } = Bun.spawnSync(["tar", "-tf", archive]);
  expect(exitCode).toBe(0);
  const names = stdout.toString().trim().split("\n");
  expect(names[0]).toBe("forecourt.sqlite");
  expect(names.at(-1)).toBe("manifest.json");
});

test("without files, outputs and uploads are left out", async () => {
  const small = join(folder, "small.tar");
  const { files } = await backup({ data: box.data, to: small, withFiles: false, version: "1", now });
  expect(files.some(({ name }) => name.startsWith("files/"))).toBe(false);
  expect(files.map(({ name }) => name)).toContain("models/own.yaml");
});

/** A data directory with a database that is worth keeping, and nothing else. */
function newBox(): string {
  const data = newPlace();
  mkdirSync(join(data, "models"), { recursive: true });
  copyFileSync(join(box.data, "webhook.key"), join(data, "webhook.key"));
  new Sqlite(join(data, "forecourt.sqlite"), { create: true }).run("CREATE TABLE t (x)");
  return data;
}

test("what the operator put elsewhere and linked is kept too; links among the files of jobs are not followed", async () => {
  const data = newBox();
  const elsewhere = newPlace();
  mkdirSync(join(elsewhere, "files/abcdefghijklmnopqrstuv"), { recursive: true });
  writeFileSync(join(elsewhere, "settings.yaml"), "jobs:\n  retries: 5\n");
  writeFileSync(join(elsewhere, "own.yaml"), testModel("me/own").text);
  writeFileSync(join(elsewhere, "files/abcdefghijklmnopqrstuv/a.png"), "a picture");
  symlinkSync("/etc/hostname", join(elsewhere, "files/abcdefghijklmnopqrstuv/b.png"));
  symlinkSync(join(elsewhere, "settings.yaml"), join(data, "appliance.yaml"));
  symlinkSync(join(elsewhere, "own.yaml"), join(data, "models/own.yaml"));
  symlinkSync(join(elsewhere, "gone.yaml"), join(data, "models/gone.yaml"));
  symlinkSync(join(elsewhere, "files"), join(data, "files"));
  const to = join(folder, "linked.tar");
  const { files } = await backup({ data, to, withFiles: true, version: "1", now });
  expect(files.map(({ name }) => name)).toEqual([
    "forecourt.sqlite",
    "webhook.key",
    "appliance.yaml",
    "models/own.yaml",
    "files/abcdefghijklmnopqrstuv/a.png",
  ]);
  const back = newPlace();
  await restore({ data: back, from: to, now });
  expect(readFileSync(join(back, "appliance.yaml"), "utf8")).toBe("jobs:\n  retries: 5\n");
  expect(readFileSync(join(back, "files/abcdefghijklmnopqrstuv/a.png"), "utf8")).toBe("a picture");
});

test("names of any script, of any length that tar has, and with spaces at their ends come back", async () => {
  const data = newBox();
  const names = [
    "note ",
    "模型".repeat(14),
    `${"型".repeat(49)}/${"模".repeat(33)}`,
    `${"a".repeat(60)}/${"é".repeat(50)}`,
  ];
  for (const name of names) {
    mkdirSync(dirname(join(data, "models", name)), { recursive: true });
    writeFileSync(join(data, "models", name), name);
  }
  const to = join(folder, "named.tar");
  await backup({ data, to, withFiles: false, version: "1", now });
  const back = newPlace();
  await restore({ data: back, from: to, now });
  for (const name of names) expect(readFileSync(join(back, "models", name), "utf8")).toBe(name);
});

test("what is replaced is kept, and the log of the former database does not leak into the new one", async () => {
  const data = newPlace();
  {
    await using other = await createTestAppliance({ data });
    other.keys.create({ name: "of the former box", scope: "api" });
  }
  const { kept = "" } = await restore({ data, from: archive, now });
  using old = new Sqlite(join(kept, "forecourt.sqlite"), { readonly: true });
  expect(old.query("SELECT name FROM api_key").values().flat()).toContain("of the former box");
  await using again = await createTestAppliance({ data });
  expect(again.keys.list().map(({ name }) => name)).not.toContain("of the former box");
});

test.skipIf(process.getuid?.() !== 0)("what root restores belongs to whom the data directory belongs", async () => {
  const data = newPlace();
  mkdirSync(data);
  chownSync(data, 12_345, 12_346);
  await restore({ data, from: archive, now });
  for (const name of readdirSync(data, { recursive: true, encoding: "utf8" })) {
    const { uid, gid } = statSync(join(data, name));
    expect([name, uid, gid]).toEqual([name, 12_345, 12_346]);
  }
});

test("what a restore left that was ended in the middle is removed by the next one, and nothing that is in use", async () => {
  const data = newPlace();
  const gone = Bun.spawnSync(["true"]).pid;
  for (const name of [`restoring-${gone}`, `restoring-${process.ppid}`, "restoring-notes"]) {
    mkdirSync(join(data, name, "files"), { recursive: true });
    writeFileSync(join(data, name, "files/a.png"), "half");
  }
  await restore({ data, from: archive, now });
  expect(
    readdirSync(data)
      .filter((name) => name.startsWith("restoring"))
      .sort(),
  ).toEqual([`restoring-${process.ppid}`, "restoring-notes"]);
});

test("a damaged database in the way is no obstacle", async () => {
  const data = newPlace();
  mkdirSync(data);
  writeFileSync(join(data, "forecourt.sqlite"), "this was a database once");
  writeFileSync(join(data, "forecourt.sqlite-wal"), "and this its log");
  const { kept = "" } = await restore({ data, from: archive, now });
  expect(readFileSync(join(kept, "forecourt.sqlite"), "utf8")).toBe("this was a database once");
  expect(existsSync(join(data, "forecourt.sqlite-wal"))).toBe(false);
});

test("a running server is not overwritten", async () => {
  const data = newPlace();
  using lock = lockData(data);
  expect(lock).toBeDefined();
  await expect(restore({ data, from: archive, now })).rejects.toThrow(/Another Forecourt .* uses/);
  expect(existsSync(join(data, "forecourt.sqlite"))).toBe(false);
});

test("a backup of a newer schema is refused", async () => {
  const newer = newPlace();
  mkdirSync(newer);
  copyFileSync(join(box.data, "webhook.key"), join(newer, "webhook.key"));
  new Sqlite(join(newer, "forecourt.sqlite"), { create: true }).run("CREATE TABLE t (x); PRAGMA user_version = 999");
  const to = join(folder, "newer.tar");
  await backup({ data: newer, to, withFiles: false, version: "9.0.0", now });
  const data = newPlace();
  await expect(restore({ data, from: to, now })).rejects.toThrow(
    /made by Forecourt 9.0.0 \(schema 999\).*Upgrade first/,
  );
  expect(contents(data).filter((name) => !name.startsWith("server."))).toEqual([]);
});

test("whatever byte is lost or changed, a damaged backup changes nothing", async () => {
  const size = statSync(archive).size;
  const whole = readFileSync(archive);
  const data = newPlace();
  for (const at of [0, 130, 148, 156, 600, Math.floor(size / 3), Math.floor(size / 2), size - 3000]) {
    const bad = join(folder, "bad.tar");
    const bytes = Buffer.from(whole);
    bytes.writeUInt8((bytes[at] ?? 0) ^ 0x55, at);
    writeFileSync(bad, bytes);
    await expect(restore({ data, from: bad, now })).rejects.toThrow(/Nothing was changed|damaged/);
  }
  for (const length of [0, 100, 512, Math.floor(size / 2), size - 1024, size - 2048]) {
    const bad = join(folder, "short.tar");
    copyFileSync(archive, bad);
    truncateSync(bad, length);
    await expect(restore({ data, from: bad, now })).rejects.toThrow(/Nothing was changed/);
  }
  expect(contents(data).filter((name) => !name.startsWith("server."))).toEqual([]);
});

test("an archive that leads out of the data directory is refused", async () => {
  const outside = newPlace();
  mkdirSync(outside);
  writeFileSync(join(outside, "evil"), "x");
  for (const name of ["../evil", "/etc/evil", "files/../../evil"]) {
    const bad = join(folder, "evil.tar");
    Bun.spawnSync(["tar", "-cPf", bad, "-C", outside, `--transform=s#evil#${name}#`, "evil"]);
    await expect(restore({ data: newPlace(), from: bad, now })).rejects.toThrow(/Nothing was changed/);
  }
  expect(existsSync("/etc/evil")).toBe(false);
});

test("a place that cannot be written, and a directory without a database, are said in a sentence and leave nothing", async () => {
  const order = { data: box.data, to: join(folder, "no/such/place.tar"), withFiles: false, version: "1", now };
  await expect(backup(order)).rejects.toThrow(`There is no folder ${join(folder, "no/such")}. Make it`);
  const empty = newPlace();
  mkdirSync(empty);
  const to = join(folder, "empty.tar");
  await expect(backup({ ...order, data: empty, to })).rejects.toThrow(/could not be copied.*--data/);
  expect(readdirSync(folder).filter((name) => name.startsWith("empty.tar"))).toEqual([]);
});

test("nothing but an archive is ever replaced: no device, no folder, no file of the box", async () => {
  const make = (to: string) => backup({ data: box.data, to, withFiles: false, version: "1.2.3", now });
  const place = newPlace();
  mkdirSync(place);
  const note = join(place, "note.txt");
  writeFileSync(note, "of mine");
  const fifo = join(place, "pipe");
  expect(Bun.spawnSync(["mkfifo", fifo]).exitCode).toBe(0);
  for (const [taken, what] of [
    ...[[place, "no plain file"] as const, [fifo, "no plain file"] as const, [note, "no archive"] as const],
    [join(box.data, "forecourt.sqlite"), "no archive"] as const,
  ]) {
    const before = statSync(taken);
    await expect(make(taken)).rejects.toThrow(`${taken} is there already and is ${what}`);
    expect([statSync(taken).ino, statSync(taken).mode]).toEqual([before.ino, before.mode]);
  }
  expect(readFileSync(note, "utf8")).toBe("of mine");
  const models = { models: [], variantsOf: () => [], data: box.data, caches: [], version: "1.2.3", now };
  const signal = new AbortController().signal;
  await expect(exportModels({ ...models, to: fifo, signal })).rejects.toThrow("no plain file");
  const empty = join(place, "empty.tar");
  writeFileSync(empty, "");
  for (let time = 0; time < 2; time++) expect((await make(empty)).format).toBe("forecourt-backup-1");
});
