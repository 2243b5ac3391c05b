// The certificate that the box serves https with: whether its key is its own, and how long clients will take it.
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { ForecourtError } from "../core/errors.ts";

/** The settings `tls.cert` and `tls.key`: files in PEM, or both empty. */
export type TlsFiles = { cert: string; key: string };
type Pems = TlsFiles;

/** So long before its end people are told. */
const SOON_MS = 14 * 24 * 60 * 60 * 1000;

/**
 * The files' contents; undefined without both. Throws `misconfigured` for one without the other, for files that cannot be read or are something
 * else, and for a key of another certificate.
 */
export function readTls({ cert, key }: TlsFiles): Pems | undefined {
  if (cert === "" && key === "") return undefined;
  if (cert === "" || key === "") throw misconfigured("tls.cert and tls.key belong together.");
  const pems = { cert: readPem("tls.cert", cert), key: readPem("tls.key", key) };
  const certificate = read(() => new X509Certificate(pems.cert), `tls.cert: ${cert} is no certificate in PEM`);
  const own = read(() => createPrivateKey(pems.key), `tls.key: ${key} is no private key in PEM without a passphrase`);
  if (!certificate.checkPrivateKey(own))
    throw misconfigured(`tls.key: ${key} is not the key of ${cert}. Name the two files that were made together.`);
  return pems;
}

/** What to do about a certificate that clients refuse, or will refuse soon; undefined for one that is well. */
export function staleCertificate(
  tls: TlsFiles,
  now: Date,
): { what: string; remedy: string; isRefused: boolean } | undefined {
  const pems = readTls(tls);
  if (!pems) return undefined;
  const { validFrom, validTo } = new X509Certificate(pems.cert);
  const [from, to] = [new Date(validFrom), new Date(validTo)];
  const isEarly = now < from;
  if (!isEarly && to.getTime() - now.getTime() > SOON_MS) return undefined;
  const isRefused = isEarly || now >= to;
  const when = isEarly ? `is good from ${day(from)} on only` : `${isRefused ? "ended on" : "ends on"} ${day(to)}`;
  const remedy = isEarly
    ? "look at this box's clock, or make another certificate"
    : "make another (`forecourt tls init`, or whoever made it)";
  return {
    what: `the certificate ${tls.cert} ${when}${isRefused ? ", so clients refuse to speak to this box" : ""}`,
    remedy: `${remedy}, and restart the server`,
    isRefused,
  };
}

const day = (date: Date) => date.toISOString().slice(0, 10);

function readPem(setting: string, file: string): string {
  return read(() => readFileSync(file, "utf8"), `${setting} cannot be read`);
}

function read<T>(attempt: () => T, otherwise: string): T {
  try {
    return attempt();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw misconfigured(`${otherwise}: ${reason}`, cause);
  }
}

const misconfigured = (message: string, cause?: unknown) => new ForecourtError("misconfigured", message, { cause });
