// Tokens: signed, bound to a use and a key, over when either is.
import { beforeEach, describe, expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openDatabase } from "../../../src/control/database/open.ts";
import type { Key } from "../../../src/control/keys/key.ts";
import { createKeys, type Keys } from "../../../src/control/keys/keys.ts";
import { ensureTokenSecret } from "../../../src/control/keys/token-secret.ts";
import { coversApp, createTokens, looksLikeToken, type Tokens } from "../../../src/control/keys/tokens.ts";
import { asId, type KeyId } from "../../../src/core/ids.ts";
import { instant, milliseconds } from "../../../src/core/units.ts";
import { createTestClock, type TestClock } from "../../support/test-clock.ts";
import { testFolder } from "../../support/test-folder.ts";

const folder = testFolder("tokens");

const secret = new Uint8Array(32).fill(7);
let clock: TestClock;
let keys: Keys;
let key: Key;
let tokens: Tokens;
beforeEach(() => {
  clock = createTestClock();
  keys = createKeys({ database: openDatabase({ file: ":memory:" }), clock });
  key = keys.create({ name: "app", scope: "api" }).key;
  tokens = createTokens({ keys, secret, clock });
});

const issue = (lifetime = 120_000) =>
  tokens.issue({ key: key.id, grant: { use: "apps", apps: ["flux"] }, lifetime: milliseconds(lifetime) });

describe("a token", () => {
  test("names its key and what it grants, until it expires", () => {
    const { token, expiresAt } = issue();
    expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    expect(looksLikeToken(token)).toBe(true);
    expect(expiresAt).toBe(instant(clock.now() + 120_000));
    clock.advance(119_999);
    expect(tokens.verify(token, "apps")).toMatchObject({ key: { id: key.id }, grant: { use: "apps", apps: ["flux"] } });
    clock.advance(1);
    expect(() => tokens.verify(token, "apps")).toThrow(/expired/);
  });

  test("is good for its use only", () => {
    const lifetime = milliseconds(1000);
    const storage = tokens.issue({ key: key.id, grant: { use: "storage" }, lifetime }).token;
    const file = tokens.issue({ key: key.id, grant: { use: "file", file: "f" }, lifetime }).token;
    expect(tokens.verify(file, "file").grant.file).toBe("f");
    expect(() => tokens.verify(storage, "apps")).toThrow(/for storage, not for apps/);
    expect(() => tokens.verify(file, "storage")).toThrow(/for file, not for storage/);
    expect(() => tokens.verify(issue().token, "storage")).toThrow(/for apps/);
  });

  test("ends with its key", () => {
    const { token } = issue();
    keys.revoke(key.id);
    expect(() => tokens.verify(token, "apps")).toThrow(/revoked/);
    key = keys.create({ name: "short", scope: "api", expiresAt: instant(clock.now() + 1000) }).key;
    const short = issue().token;
    clock.advance(1000);
    expect(() => tokens.verify(short, "apps")).toThrow(/key of this token has expired/);
  });

  test("is good for the key of its id and for none of that name", () => {
    const gone = asId<KeyId>("gone");
    const { token } = tokens.issue({ key: gone, grant: { use: "storage" }, lifetime: milliseconds(1000) });
    keys.create({ name: gone, scope: "admin" });
    expect(() => tokens.verify(token, "storage")).toThrow(/does not exist/);
  });

  test("that is forged in any part is refused", () => {
    const [header = "", payload = "", signature = ""] = issue().token.split(".");
    const other = createTokens({ keys, secret: new Uint8Array(32).fill(8), clock });
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
    const longer = Buffer.from(JSON.stringify({ ...claims, exp: claims.exp + 1e6 })).toString("base64url");
    const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString("base64url");
    for (const forged of [
      "",
      "..",
      "a.b.c",
      `${header}.${payload}`,
      `${header}.${payload}.`,
      `${header}.${longer}.${signature}`,
      `${none}.${payload}.`,
      `${none}.${payload}.${signature}`,
      `${header}.${payload}.${signature}.more`,
      `${header}.${payload}.${signature.slice(0, -2)}`,
      other.issue({ key: key.id, grant: { use: "apps", apps: [] }, lifetime: milliseconds(1000) }).token,
    ])
      expect(() => tokens.verify(forged, "apps")).toThrow(expect.objectContaining({ code: "unauthenticated" }));
  });
});

test.each([
  ["flux", "fal-ai/flux/dev/stream", true],
  ["flux", "fal-ai/other/flux/stream", false],
  ["flux", "workflows/me/flux/stream", true],
  ["me", "workflows/me/flux/stream", false],
  ["fal-ai/flux", "fal-ai/flux/dev/stream", true],
  ["fal-ai/flux/dev/stream", "fal-ai/flux/dev/stream", true],
  ["/fal-ai/flux/dev/stream/", "fal-ai/flux/dev/stream", true],
  ["fal-ai/flux/dev/realtime", "fal-ai/flux/dev/stream", false],
  ["fal-ai/flu", "fal-ai/flux/stream", false],
  ["", "fal-ai/flux/stream", false],
])("a token of %p covers %p: %p", (app, path, covers) => {
  expect(coversApp([app], path)).toBe(covers);
});

test("a token of several covers what one of them covers, one of none nothing", () => {
  expect(coversApp(["other", "flux"], "fal-ai/flux/dev/stream")).toBe(true);
  expect(coversApp([], "fal-ai/flux/dev/stream")).toBe(false);
});

test("the secret is made once, for its owner alone; a damaged one is told", () => {
  const made = ensureTokenSecret(folder);
  const file = join(folder, "token.secret");
  expect(made.byteLength).toBe(32);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, "utf8").trim()).toBe(made.toString("hex"));
  expect(ensureTokenSecret(folder)).toEqual(made);
  writeFileSync(file, "short");
  expect(() => ensureTokenSecret(folder)).toThrow(expect.objectContaining({ code: "misconfigured" }));
});
