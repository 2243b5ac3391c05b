// The key pair that webhooks are signed with (Ed25519): made at the first start, the private half kept in <data>/webhook.key.
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ForecourtError } from "../../core/errors.ts";

/** A public key as RFC 8037 has it: `x` is 32 bytes in base64url without padding. */
export type PublicKeyJwk = { kty: "OKP"; crv: "Ed25519"; x: string; kid: string; use: "sig"; alg: "EdDSA" };

export type SigningKey = {
  /** 64 bytes. */
  sign(message: string): Buffer;
  publicKey: PublicKeyJwk;
};

/**
 * The file (PKCS#8 in PEM, mode 0600) is complete or absent. Removing it makes a new key at the next start, which
 * receivers learn within the time that they keep the key set. Throws `misconfigured` when it holds no such key.
 */
export function ensureSigningKey(data: string): SigningKey {
  const file = join(data, "webhook.key");
  if (!existsSync(file)) {
    mkdirSync(data, { recursive: true, mode: 0o700 });
    const { privateKey } = generateKeyPairSync("ed25519");
    writeFileSync(`${file}.new`, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
  const key = readKey(file);
  return { sign: (message) => sign(null, Buffer.from(message), key), publicKey: publicKeyOf(key) };
}

function readKey(file: string): KeyObject {
  try {
    const key = createPrivateKey(readFileSync(file));
    if (key.asymmetricKeyType === "ed25519") return key;
  } catch (cause) {
    throw damaged(file, cause);
  }
  throw damaged(file);
}

const damaged = (file: string, cause?: unknown) =>
  new ForecourtError(
    "misconfigured",
    `${file} holds no Ed25519 key. Restore it from a backup, or remove it: receivers of webhooks then need the new key set.`,
    { cause },
  );

function publicKeyOf(key: KeyObject): PublicKeyJwk {
  const { x = "" } = createPublicKey(key).export({ format: "jwk" });
  // RFC 7638: the hash of the required members in lexical order.
  const thumbprint = createHash("sha256").update(JSON.stringify({ crv: "Ed25519", kty: "OKP", x }));
  return { kty: "OKP", crv: "Ed25519", x, kid: thumbprint.digest("base64url"), use: "sig", alg: "EdDSA" };
}
