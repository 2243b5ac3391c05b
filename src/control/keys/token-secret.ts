// What this box signs its tokens with: made at the first start, kept in <data>/token.secret.
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ForecourtError } from "../../core/errors.ts";

/** As long as the digest of HMAC-SHA-256 (RFC 7518, 3.2). */
const SECRET_BYTES = 32;

/** Removing the file (mode 0600) ends all tokens given out so far. Throws `misconfigured` when it holds no secret. */
export function ensureTokenSecret(data: string): Buffer {
  const file = join(data, "token.secret");
  if (!existsSync(file)) {
    mkdirSync(data, { recursive: true, mode: 0o700 });
    writeFileSync(`${file}.new`, `${randomBytes(SECRET_BYTES).toString("hex")}\n`, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
  const secret = Buffer.from(readFileSync(file, "utf8").trim(), "hex");
  if (secret.byteLength === SECRET_BYTES) return secret;
  throw new ForecourtError("misconfigured", `${file} is damaged. Remove it; tokens given out so far end with it.`);
}
