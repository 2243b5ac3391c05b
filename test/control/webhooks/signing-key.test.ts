// The key that webhooks are signed with: made once, kept secret, never taken from a damaged file.
import { expect, test } from "bun:test";
import { createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureSigningKey } from "../../../src/control/webhooks/signing-key.ts";
import { testFolder } from "../../support/test-folder.ts";

const folder = testFolder("key");

test("it is made at the first start, readable for its owner only, and the same ever after", () => {
  const data = join(folder, "first");
  const key = ensureSigningKey(data);
  expect(statSync(join(data, "webhook.key")).mode & 0o777).toBe(0o600);
  expect(readdirSync(data)).toEqual(["webhook.key"]);
  expect(ensureSigningKey(data).publicKey).toEqual(key.publicKey);
  expect(ensureSigningKey(join(folder, "second")).publicKey).not.toEqual(key.publicKey);
});

test("what it signs is verified with the public key alone", () => {
  const { sign, publicKey } = ensureSigningKey(join(folder, "first"));
  const key = createPublicKey({ key: { ...publicKey }, format: "jwk" });
  const signature = sign("a message");
  expect(signature.byteLength).toBe(64);
  expect(verify(null, Buffer.from("a message"), key, signature)).toBe(true);
  expect(verify(null, Buffer.from("another"), key, signature)).toBe(false);
});

test.each([
  ["cut off", "-----BEGIN PRIVATE KEY-----\n"],
  [
    "of another kind",
    generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }),
  ],
])("a file that is %s stops the start instead of changing the key", (name, content) => {
  const data = join(folder, name.replaceAll(" ", "-"));
  ensureSigningKey(data);
  writeFileSync(join(data, "webhook.key"), content);
  expect(() => ensureSigningKey(data)).toThrow("webhook.key holds no Ed25519 key");
});
