// A request's body as JSON, bounded in size and depth whatever the client sends.
import { ForecourtError } from "../core/errors.ts";
import type { Bytes } from "../core/units.ts";
import { createPause } from "../engine/pause.ts";
import { createJsonScan, type JsonLimits } from "./json-size.ts";
import { chunksOf, expectPlain, tooLarge } from "./read-bytes.ts";

/**
 * Far beyond any model's input; code further in, which recurses and copies, never meets more. The parser alone takes some
 * 0.05 microseconds for a number, ten times that for the name of a field, and 0.01 for an escape: each of these is worth
 * some 20 milliseconds, in which nobody else is answered. Base64 with escaped slashes has a million in 64 MiB.
 */
export const JSON_LIMITS = { depth: 64, values: 250_000, colons: 50_000, escapes: 2_000_000 } satisfies JsonLimits;

const words = {
  depth: `JSON is nested deeper than ${JSON_LIMITS.depth} levels`,
  values: `JSON has more than ${JSON_LIMITS.values} values`,
  colons: `JSON has more than ${JSON_LIMITS.colons} fields`,
  escapes: `JSON has more than ${JSON_LIMITS.escapes} escaped characters`,
} satisfies Record<keyof JsonLimits, string>;

/** Up to here a body is read as a whole, which is quicker. */
const SMALL = 64 * 1024;
/** Looked through between two looks at the clock. */
const PIECE = 256 * 1024;
/** Of a body's bytes, in one turn of the event loop. */
export const TURN_MS = 5;

/** The largest body over a slow line; a client that sends a byte now and then holds its place no longer. */
const LONGEST_MS = 5 * 60_000;

/**
 * An empty body is `{}`. Throws `payload_too_large` without reading further, `bad_request` for one that does not come to
 * its end in time, and `invalid_input` for what is not JSON.
 */
export async function readJson(request: Request, limit: Bytes, withinMs = LONGEST_MS): Promise<unknown> {
  return await inTime(readBody(request, limit), withinMs);
}

/** Throws `bad_request` when it is not done in time. */
export async function inTime<T>(work: Promise<T>, ms = LONGEST_MS): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(tooSlow(ms)), ms);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** An empty text is `{}`. Throws `invalid_input` for what is not JSON or too complex. */
export function parseJson(text: string): unknown {
  refuseBroken(createJsonScan(JSON_LIMITS).feed(Buffer.from(text)));
  return parsed(text);
}

function parsed(text: string): unknown {
  if (/^\s*$/.test(text)) return {};
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid("json_invalid", "JSON decode error", { error: error instanceof Error ? error.message : "" });
  }
}

function refuseBroken(broken: keyof JsonLimits | undefined): void {
  if (broken) throw invalid("json_too_complex", words[broken], { [broken]: JSON_LIMITS[broken] });
}

const invalid = (type: string, msg: string, ctx: Record<string, unknown>) =>
  new ForecourtError("invalid_input", msg, { problems: [{ loc: ["body"], msg, type, input: {}, ctx }] });

async function readBody(request: Request, limit: Bytes): Promise<unknown> {
  const length = request.headers.get("content-length");
  if (length !== null) {
    if (Number(length) > limit) throw tooLarge(limit);
    expectPlain(request.headers.get("content-encoding"));
    if (Number(length) <= SMALL) return parseJson(await request.text());
  }
  return parsed(await readText(request, limit));
}

/** What is too complex is read no further than to where that is seen. */
async function readText(request: Request, limit: Bytes): Promise<string> {
  const [scan, decoder, pause] = [createJsonScan(JSON_LIMITS), new TextDecoder(), createPause(undefined, TURN_MS)];
  let text = "";
  for await (const chunk of chunksOf(request, limit))
    for (let at = 0; at < chunk.length; at += PIECE) {
      const piece = chunk.subarray(at, at + PIECE);
      refuseBroken(scan.feed(piece));
      text += decoder.decode(piece, { stream: true });
      await pause();
    }
  return text + decoder.decode();
}

const tooSlow = (ms: number) =>
  new ForecourtError(
    "bad_request",
    `The request body did not arrive within ${ms / 1000} seconds. Send large files by URL.`,
  );
