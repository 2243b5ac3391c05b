// The files of `forecourt tls init`: an authority that is made once, a certificate that is made anew each time.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { ForecourtError } from "../../core/errors.ts";
import { createAuthority, issueCertificate, type Pair, type Validity } from "./authority.ts";

export type CertificateFiles = {
  /** What clients are told to trust. */
  authority: string;
  authorityKey: string;
  /** The server's, followed by the authority's. */
  certificate: string;
  key: string;
};

const A_DAY_MS = 24 * 60 * 60 * 1000;
const AUTHORITY_DAYS = 3650;
/** Clocks differ; a certificate from the future is refused. */
const EARLIER_MS = A_DAY_MS;

const certificateFiles = (dir: string): CertificateFiles => ({
  authority: resolve(dir, "ca.pem"),
  authorityKey: resolve(dir, "ca-key.pem"),
  certificate: resolve(dir, "cert.pem"),
  key: resolve(dir, "key.pem"),
});

export type Request = { dir: string; names: readonly string[]; days: number; now: Date };

/**
 * An authority that is there already is used again, so that clients who trust it go on as they are. Keys have mode 0600.
 * Throws `misconfigured` when one of its two files is missing or damaged.
 */
export async function writeCertificates({ dir, names, days, now }: Request) {
  mkdirSync(dir, { recursive: true, mode: 0o755 });
  const files = certificateFiles(dir);
  const known = readAuthority(files);
  const authority =
    known ??
    (await createAuthority(`Forecourt private CA ${now.toISOString().slice(0, 10)}`, validFor(AUTHORITY_DAYS, now)));
  const { certificate, key } = await issue(authority, names, { files, validity: validFor(days, now) });
  if (!known) {
    write(files.authorityKey, authority.key, 0o600);
    write(files.authority, authority.certificate, 0o644);
  }
  write(files.key, key, 0o600);
  write(files.certificate, certificate + authority.certificate, 0o644);
  return { files, isNewAuthority: known === undefined };
}

const validFor = (days: number, now: Date): Validity => ({
  notBefore: new Date(now.getTime() - EARLIER_MS),
  notAfter: new Date(now.getTime() + days * A_DAY_MS),
});

function readAuthority({ authority, authorityKey }: CertificateFiles): Pair | undefined {
  if (!existsSync(authority) && !existsSync(authorityKey)) return undefined;
  const missing = [authority, authorityKey].find((file) => !existsSync(file));
  if (missing !== undefined) throw misconfigured(`${missing} is missing. Restore it, or take an empty directory.`);
  return { certificate: readFileSync(authority, "utf8"), key: readFileSync(authorityKey, "utf8") };
}

type Place = { files: CertificateFiles; validity: Validity };

async function issue(authority: Pair, names: readonly string[], { files, validity }: Place): Promise<Pair> {
  try {
    return await issueCertificate(authority, names, validity);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw misconfigured(`${files.authority} and its key cannot be used: ${reason}.`, cause);
  }
}

/** Complete or not there; a server that reads it meanwhile has the old one. */
function write(file: string, text: string, mode: number): void {
  writeFileSync(`${file}.new`, text, { mode });
  renameSync(`${file}.new`, file);
}

const misconfigured = (message: string, cause?: unknown) => new ForecourtError("misconfigured", message, { cause });
