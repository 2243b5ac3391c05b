// API keys: only hashes kept, revocation at once, also from another process.
import { Database as Sqlite } from "bun:sqlite";
import { beforeEach, expect, spyOn, test } from "bun:test";
import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Database, databaseFile, openDatabase } from "../../../src/control/database/open.ts";
import { adminKeyFile, ensureAdminKey } from "../../../src/control/keys/admin-key.ts";
import { createKeys, type Keys } from "../../../src/control/keys/keys.ts";
import { createUsageNotes } from "../../../src/control/keys/usage-notes.ts";
import { asId, type KeyId } from "../../../src/core/ids.ts";
import { silentLog } from "../../../src/core/log.ts";
import { instant, milliseconds } from "../../../src/core/units.ts";
import { createTestClock, type TestClock } from "../../support/test-clock.ts";
import { testFolder } from "../../support/test-folder.ts";

const folder = testFolder("keys");

let clock: TestClock;
let database: Database;
let keys: Keys;
beforeEach(() => {
  clock = createTestClock();
  database = openDatabase({ file: ":memory:" });
  keys = createKeys({ database, clock });
});

test("a key is verified by its id and secret together", () => {
  const { key, secret } = keys.create({ name: "app", scope: "api" });
  expect(secret).toMatch(new RegExp(`^${key.id}:[0-9a-f]{32}$`));
  expect(keys.verify(secret)).toMatchObject({ id: key.id, name: "app", scope: "api" });
});

test("the database holds no secret", () => {
  const { secret } = keys.create({ name: "app", scope: "api" });
  const [, half = ""] = secret.split(":");
  database.flush();
  const stored = JSON.stringify(database.sqlite.query("SELECT * FROM api_key").all());
  expect(stored).not.toContain(half);
  expect(stored).toContain(new Bun.CryptoHasher("sha256").update(half).digest("hex"));
});

test.each([
  ["without a colon", () => "nonsense", /Expected '<key_id>:<key_secret>'/],
  ["of an unknown id", () => `${Bun.randomUUIDv7()}:${"0".repeat(32)}`, /Invalid key credentials/],
  [
    "with the secret of another key",
    (a: string, b: string) => `${a.split(":")[0]}:${b.split(":")[1]}`,
    /Invalid key credentials/,
  ],
  ["with an empty secret", (a: string) => `${a.split(":")[0]}:`, /Invalid key credentials/],
  ["with more after the secret", (a: string) => `${a}0`, /Invalid key credentials/],
])("a credential %s is refused", (_, make, message) => {
  const a = keys.create({ name: "a", scope: "api" }).secret;
  const b = keys.create({ name: "b", scope: "api" }).secret;
  expect(() => keys.verify(make(a, b))).toThrow(message);
});

test("that keys were used is written down and told without reading all of them again", () => {
  const { key, secret } = keys.create({ name: "app", scope: "api" });
  keys.verify(secret);
  const prepare = spyOn(Sqlite.prototype, "prepare");
  keys.flushUsage();
  clock.advance(1);
  keys.verify(secret);
  const reads = prepare.mock.calls.filter(([sql]) => /^select .* from "api_key"/.test(sql));
  prepare.mockRestore();
  expect(reads).toEqual([]);
  keys.flushUsage();
  for (const each of [keys, createKeys({ database, clock })]) expect(each.find(key.id)?.lastUsedAt).toBe(clock.now());
});

test("an expired key is refused from that moment on", () => {
  const { secret } = keys.create({ name: "a", scope: "api", expiresAt: instant(clock.now() + 1000) });
  clock.advance(999);
  expect(keys.verify(secret).name).toBe("a");
  clock.advance(1);
  expect(() => keys.verify(secret)).toThrow(/expired/);
});

test("a revoked key is refused at once; revoking again keeps the first time", () => {
  const { key, secret } = keys.create({ name: "a", scope: "api" });
  keys.verify(secret);
  const { revokedAt } = keys.revoke(key.id);
  expect(() => keys.verify(secret)).toThrow(/revoked/);
  clock.advance(5000);
  expect(keys.revoke(key.id).revokedAt).toBe(revokedAt);
  expect(() => keys.revoke(asId<KeyId>("nobody"))).toThrow(/There is no key nobody/);
});

test("keys made and revoked through another connection count in the next turn of the event loop", async () => {
  const file = databaseFile(join(folder, "two"));
  using server = openDatabase({ file });
  using tool = openDatabase({ file });
  const ofServer = createKeys({ database: server, clock });
  const ofTool = createKeys({ database: tool, clock });
  const { key, secret } = ofTool.create({ name: "cli", scope: "api" });
  expect(ofServer.verify(secret).id).toBe(key.id);
  ofTool.revoke(key.id);
  await new Promise(setImmediate);
  expect(() => ofServer.verify(secret)).toThrow(/revoked/);
});

test("a key is in force until it is over, for who opens the database later, too", () => {
  const { id } = keys.create({ name: "app", scope: "api" }).key;
  const { id: revoked } = keys.create({ name: "revoked", scope: "api" }).key;
  const { id: short } = keys.create({ name: "short", scope: "api", expiresAt: instant(clock.now() + 1000) }).key;
  keys.revoke(revoked);
  const inForce = () =>
    [keys, createKeys({ database, clock })].map((each) => [id, revoked, short].filter(each.isInForce));
  expect(inForce()).toEqual([
    [id, short],
    [id, short],
  ]);
  clock.advance(1000);
  expect(inForce()).toEqual([[id], [id]]);
});

test("keys are told page by page in the order in which they were made, on request without those that are over", () => {
  const ids = ["a", "b", "c", "d"].map((name) => keys.create({ name, scope: "api" }).key.id);
  const [, second = asId<KeyId>(""), third = asId<KeyId>("")] = ids;
  keys.revoke(third);
  const page = (query: Parameters<typeof keys.page>[0]) => keys.page(query).map(({ id }) => ids.indexOf(id));
  expect(page({ limit: 3 })).toEqual([0, 1, 2]);
  expect(page({ limit: 3, after: second })).toEqual([2, 3]);
  expect(page({ limit: 3, inForceAt: clock.now() })).toEqual([0, 1, 3]);
});

test("whether there is a key of a scope is told, also of one that is over", () => {
  const { id } = keys.create({ name: "app", scope: "api" }).key;
  keys.revoke(id);
  expect([keys.has("api"), keys.has("admin")]).toEqual([true, false]);
});

test("a key is found by id, and by name the latest of that name", () => {
  const first = keys.create({ name: "app", scope: "api" }).key;
  const second = keys.create({ name: "app", scope: "admin" }).key;
  expect(keys.find(first.id)?.id).toBe(first.id);
  expect(keys.find("app")?.id).toBe(second.id);
  expect(keys.find("other")).toBeUndefined();
});

test("after a rotation both secrets are good until the overlap is over, then only the other one", () => {
  const { key, secret: first } = keys.create({ name: "a", scope: "api" });
  const { secret: second } = keys.rotate(key.id, milliseconds(1000));
  expect(second).toStartWith(`${key.id}:`);
  expect([keys.verify(first).id, keys.verify(second).id]).toEqual([key.id, key.id]);
  clock.advance(1000);
  expect(() => keys.verify(first)).toThrow(/another secret since it was rotated/);
  expect(keys.verify(second).rotatedAt).toBeDefined();
  const { secret: third } = keys.rotate(key.id, milliseconds(0));
  expect(() => keys.verify(first)).toThrow(/Invalid key credentials/);
  expect(() => keys.verify(second)).toThrow(/another secret/);
  expect(keys.verify(third).id).toBe(key.id);
});

test("a key that is over is not rotated: its other secret would be good for nothing", () => {
  const { key } = keys.create({ name: "a", scope: "api" });
  keys.revoke(key.id);
  expect(() => keys.rotate(key.id, milliseconds(0))).toThrow(/was revoked/);
  const { key: short } = keys.create({ name: "b", scope: "api", expiresAt: instant(clock.now() + 1000) });
  clock.advance(999);
  const { secret } = keys.rotate(short.id, milliseconds(60_000));
  expect(keys.verify(secret).id).toBe(short.id);
  clock.advance(1);
  expect(() => keys.verify(secret)).toThrow(/has expired/);
  expect(() => keys.rotate(short.id, milliseconds(0))).toThrow(/The key b has expired; make another one/);
});

test("what a key may do and whose it is is kept with it", () => {
  const { key } = keys.create({ name: "a", scope: "api", team: "art", owner: "ann@example.org", models: ["fal-ai/*"] });
  expect(keys.get(key.id)).toEqual(key);
  expect(key).toMatchObject({ team: "art", owner: "ann@example.org", models: ["fal-ai/*"] });
});

test("the time of last use is shown at once and written down every minute", () => {
  const { key, secret } = keys.create({ name: "a", scope: "api" });
  const notes = createUsageNotes({ keys, timers: clock, log: silentLog });
  notes.start();
  const stored = () => database.sqlite.query("SELECT last_used_at FROM api_key").values()[0]?.[0];
  clock.advance(1000);
  keys.verify(secret);
  const usedAt = clock.now();
  expect(keys.find(key.id)?.lastUsedAt).toBe(usedAt);
  expect(stored()).toBeNull();
  clock.advance(60_000);
  expect(stored()).toBe(usedAt);
  expect(keys.find(key.id)?.lastUsedAt).toBe(usedAt);
  notes.stop();
  expect(clock.pending()).toBe(0);
});

test("the first start makes an admin key in a file of its owner; later ones leave it, even removed", () => {
  const file = ensureAdminKey({ keys, data: folder });
  expect(file).toBe(adminKeyFile(folder));
  expect(statSync(adminKeyFile(folder)).mode & 0o777).toBe(0o600);
  expect(keys.verify(readFileSync(adminKeyFile(folder), "utf8").trim()).scope).toBe("admin");
  rmSync(adminKeyFile(folder));
  expect(ensureAdminKey({ keys, data: folder })).toBeUndefined();
  expect(existsSync(adminKeyFile(folder))).toBe(false);
});

test("what could not be written is not said to hold", () => {
  // As a full disk does: the transaction is gone before its commit.
  const lose = () => database.sqlite.run("ROLLBACK");
  const made = () => keys.create({ name: "app", scope: "api" }, lose);
  expect(made).toThrow();
  expect(keys.list()).toEqual([]);
  database.write(() => {});
  lose();
  expect(() => database.flush()).toThrow("could not be written");
});
