// Requests to a bucket of any S3-compatible store. The only file that signs them (Signature Version 4).
import { AwsV4Signer } from "aws4fetch";
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
  const { region, accessKeyId, secretAccessKey, sessionToken } = options;
  const signature = { service: "s3", region, accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
  return async ({ method, key, query = {}, headers = {}, body, signal }) => {
    const url = new URL(`${base.replace(/\/+$/, "")}/${key.split("/").map(encoded).join("/")}`);
    url.search = queryOf(query);
    const digest = typeof body === "string" ? sha256(body) : "UNSIGNED-PAYLOAD";
    const all = { ...headers, "x-amz-content-sha256": digest };
    const signed = await new AwsV4Signer({ ...signature, method, url: url.href, headers: all }).sign();
    const response = await fetch(url, {
      method,
      headers: signed.headers,
      body: body ?? null,
      redirect: "error",
      signal,
    });
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

const sha256 = (text: string) => new Bun.CryptoHasher("sha256").update(text).digest("hex");

const queryOf = (query: Record<string, string>) =>
  Object.entries(query)
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .join("&");

/** What RFC 3986 leaves as it is stays, and nothing else. */
const encoded = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);
