// A request's body as JSON, bounded in size and depth whatever the client sends.
import { ForecourtError } from "../core/errors.ts";
import type { Bytes } from "../core/units.ts";
import { brokenLimit, type JsonLimits } from "./json-size.ts";
import { expectPlain, readBytes, tooLarge } from "./read-bytes.ts";

/** Far beyond any model's input; code further in, which recurses and copies, never meets more. */
const LIMITS = { depth: 64, commas: 1_000_000 } satisfies JsonLimits;

const words = {
  depth: `JSON is nested deeper than ${LIMITS.depth} levels`,
  commas: `JSON has more than ${LIMITS.commas} values`,
} satisfies Record<keyof JsonLimits, string>;

/** The largest body over a slow line; a client that sends a byte now and then holds its place no longer. */
const LONGEST_MS = 5 * 60_000;

/**
 * An empty body is `{}`. Throws `payload_too_large` without reading further, `bad_request` for one that does not come to
 * its end in time, and `invalid_input` for what is not JSON.
 */
export async function readJson(request: Request, limit: Bytes, withinMs = LONGEST_MS): Promise<unknown> {
  return parseJson(await inTime(readText(request, limit), withinMs));
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
  if (/^\s*$/.test(text)) return {};
  const broken = brokenLimit(text, LIMITS);
  if (broken) throw invalid("json_too_complex", words[broken], { [broken]: LIMITS[broken] });
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid("json_invalid", "JSON decode error", { error: error instanceof Error ? error.message : "" });
  }
}

const invalid = (type: string, msg: string, ctx: Record<string, unknown>) =>
  new ForecourtError("invalid_input", msg, { problems: [{ loc: ["body"], msg, type, input: {}, ctx }] });

async function readText(request: Request, limit: Bytes): Promise<string> {
  const length = request.headers.get("content-length");
  if (length !== null) {
    if (Number(length) > limit) throw tooLarge(limit);
    expectPlain(request.headers.get("content-encoding"));
    return await request.text();
  }
  return new TextDecoder().decode(await readBytes(request, limit));
}

const tooSlow = (ms: number) =>
  new ForecourtError(
    "bad_request",
    `The request body did not arrive within ${ms / 1000} seconds. Send large files by URL.`,
  );
