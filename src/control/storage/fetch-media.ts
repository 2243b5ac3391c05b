// Fetches the file behind a user's URL to disk: public addresses only, bounded in size and time.
import { createWriteStream } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { pipeline } from "node:stream/promises";
import { type FieldProblem, ForecourtError } from "../../core/errors.ts";
import type { Bytes, Milliseconds } from "../../core/units.ts";
import { type Address, judgedAddress, pinnedTo, type Resolver, systemResolver } from "./pinned-address.ts";
import type { AddressGuard } from "./public-address.ts";

export type MediaFetch = {
  url: string;
  /** File to write; what was written of a failed fetch is left for the caller to remove. */
  to: string;
  signal: AbortSignal;
};

export type MediaLimits = { guard: AddressGuard; maxBytes: Bytes; timeout: Milliseconds };

const MOST_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** `contentType` is what the server says. Throws `file_download_error` with a problem of type `file_download_error` or `file_too_large`. */
export async function fetchMedia(
  { url, to, signal }: MediaFetch,
  { guard, maxBytes, timeout }: MediaLimits,
  resolver: Resolver = systemResolver,
): Promise<{ contentType: string | undefined }> {
  const deadline = AbortSignal.timeout(timeout);
  const either = AbortSignal.any([signal, deadline]);
  try {
    const response = await followed(url, { guard, signal: either, resolver });
    if (Number(response.headers["content-length"]) > maxBytes) {
      response.destroy();
      throw tooLarge(maxBytes);
    }
    await pipeline(response, bounded(maxBytes), createWriteStream(to, { mode: 0o600 }), { signal: either });
    return { contentType: response.headers["content-type"] };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (deadline.aborted) throw failed(`it took longer than ${timeout / 1000} seconds`, error);
    throw error instanceof ForecourtError ? error : failed(reasonOf(error), error);
  }
}

type Way = { guard: AddressGuard; signal: AbortSignal; resolver: Resolver };

async function followed(first: string, way: Way): Promise<IncomingMessage> {
  let url = first;
  for (let hops = 0; hops <= MOST_REDIRECTS; hops++) {
    const at = parseUrl(url);
    const response = await ask(at, await addressOf(at, way), way.signal);
    const { statusCode = 0, headers } = response;
    if (statusCode === 200) return response;
    response.destroy();
    if (!REDIRECTS.has(statusCode) || !headers.location) throw failed(`the server answered ${statusCode}`);
    url = new URL(headers.location, at).href;
  }
  throw failed(`it leads through more than ${MOST_REDIRECTS} redirects`);
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url?.protocol !== "http:" && url?.protocol !== "https:")
    throw failed("only http, https and data URLs can be read");
  return url;
}

async function addressOf(url: URL, way: Way): Promise<Address> {
  const found = await judgedAddress(url, way);
  if ("refusal" in found) throw failed(found.refusal);
  return found;
}

function ask(url: URL, address: Address, signal: AbortSignal): Promise<IncomingMessage> {
  const request = url.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const headers = { "user-agent": "forecourt", accept: "*/*", "accept-encoding": "identity" };
    request(url, { lookup: pinnedTo(address), headers, signal, agent: false }, resolve)
      .on("error", reject)
      .end();
  });
}

const bounded = (maxBytes: Bytes) =>
  async function* (chunks: AsyncIterable<Buffer>) {
    let total = 0;
    for await (const chunk of chunks) {
      total += chunk.byteLength;
      if (total > maxBytes) throw tooLarge(maxBytes);
      yield chunk;
    }
  };

function failed(why: string, cause?: unknown): ForecourtError {
  return refusal({ type: "file_download_error", msg: `Failed to download the file: ${why}` }, cause);
}

const tooLarge = (maxBytes: Bytes) =>
  refusal({ type: "file_too_large", msg: `The file is larger than ${maxBytes} bytes`, ctx: { max_size: maxBytes } });

const refusal = (problem: Omit<FieldProblem, "loc">, cause?: unknown) =>
  new ForecourtError("file_download_error", problem.msg, { problems: [{ loc: ["body"], ...problem }], cause });

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
