// Requests to a bucket of any S3-compatible store, signed as AWS describes it (Signature Version 4). The only file that signs them.
import { gone } from "./disk-store.ts";

export type S3Options = {
  bucket: string;
  /** Empty: Amazon's, by region. */
  endpoint: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  /** Before every name. */
  prefix: string;
  /** The bucket's name in the host, not in the path. */
  virtualHosted: boolean;
};

export type S3Request = {
  method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** Whole name of an object; "" for the bucket itself. */
  key: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  /** A text is signed with the rest; a stream, which says nothing of what is to come, is not. */
  body?: string | ReadableStream<Uint8Array>;
  signal: AbortSignal;
};

/** Throws `not_found` for an object that is not there, and what the store says of all else that it refuses. */
export type S3Ask = (request: S3Request) => Promise<Response>;

export function createS3Ask(options: S3Options): S3Ask {
  const base = addressOf(options);
  return async ({ method, key, query = {}, headers = {}, body, signal }) => {
    const url = new URL(`${base.replace(/\/+$/, "")}/${key.split("/").map(encoded).join("/")}`);
    url.search = canonicalQuery(query);
    const signed = signedHeaders(options, { method, url, headers, text: typeof body === "string" ? body : undefined });
    const response = await fetch(url, { method, headers: signed, body: body ?? null, redirect: "error", signal });
    if (response.ok) return response;
    const said = await response.text();
    if (response.status === 404 && (method === "HEAD" || said.includes("NoSuchKey"))) throw gone();
    throw new S3Refusal(response.status, said);
  };
}

/** `said`: the XML of the answer, where there is one. */
export class S3Refusal extends Error {
  readonly code: string;
  constructor(
    readonly status: number,
    said: string,
  ) {
    const [code = "", message] = [textIn(said, "Code"), textIn(said, "Message")];
    super(`it answered ${status} ${code}${message ? `: ${message.slice(0, LONGEST_MESSAGE)}` : ""}`.trim());
    this.code = code;
  }
}

const LONGEST_MESSAGE = 300;

/** An endpoint that has the bucket's name in its host has it already. */
export function addressOf({ bucket, endpoint, region, virtualHosted }: S3Options): string {
  if (endpoint !== "") return virtualHosted ? endpoint : `${endpoint.replace(/\/+$/, "")}/${bucket}`;
  return virtualHosted
    ? `https://${bucket}.s3.${region}.amazonaws.com`
    : `https://s3.${region}.amazonaws.com/${bucket}`;
}

/** Names, codes and ids of uploads are plain: nothing in them is written otherwise in XML. */
export const textIn = (xml: string, name: string): string | undefined =>
  new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
export const elementsIn = (xml: string, name: string): string[] =>
  [...xml.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, "gs"))].map(([, inner = ""]) => inner);

type Unsigned = { method: string; url: URL; headers: Record<string, string>; text: string | undefined };

function signedHeaders(options: S3Options, { method, url, headers, text }: Unsigned): Record<string, string> {
  const { region, accessKeyId, secretAccessKey, sessionToken } = options;
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`;
  const digest = text === undefined ? "UNSIGNED-PAYLOAD" : sha256(text);
  const all: Record<string, string> = {
    ...headers,
    "x-amz-content-sha256": digest,
    "x-amz-date": time,
    ...(sessionToken && { "x-amz-security-token": sessionToken }),
  };
  const signed = Object.entries({ ...all, host: url.host }).sort(byName);
  const names = signed.map(([name]) => name).join(";");
  const lines = signed.map(([name, value]) => `${name}:${value.trim()}\n`).join("");
  const canonical = [method, url.pathname, url.search.slice(1), lines, names, digest].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n");
  const key = scope.split("/").reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${secretAccessKey}`);
  const signature = hmac(key, toSign).toString("hex");
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
  return { ...all, authorization };
}

const sha256 = (text: string) => new Bun.CryptoHasher("sha256").update(text).digest("hex");
const hmac = (key: string | Buffer, text: string) => new Bun.CryptoHasher("sha256", key).update(text).digest();

const canonicalQuery = (query: Record<string, string>) =>
  Object.entries(query)
    .map(([name, value]): [string, string] => [encoded(name), encoded(value)])
    .sort(byName)
    .map(([name, value]) => `${name}=${value}`)
    .join("&");

/** What RFC 3986 leaves as it is stays, and nothing else. */
const encoded = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);

const byName = ([a]: [string, string], [b]: [string, string]) => (a < b ? -1 : a > b ? 1 : 0);
