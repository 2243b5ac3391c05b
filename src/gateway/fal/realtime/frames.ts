// Frames of a realtime connection: MessagePack or JSON text in, the same out, and fal's control messages (fal-protocol.md 5.3).
// The only file that imports msgpack.
import { decode, encode } from "@msgpack/msgpack";
import { ForecourtError } from "../../../core/errors.ts";
import { JSON_LIMITS, parseJson } from "../../read-json.ts";
import { expectFewValues } from "./frame-size.ts";

export type Frame = string | Uint8Array;

/** Tiny values cost far more memory and time than their bytes: as for JSON bodies. */
const { values: MOST_VALUES, colons: MOST_FIELDS, depth: DEEPEST } = JSON_LIMITS;
const LIMITS = { maxMapLength: MOST_FIELDS, maxArrayLength: MOST_VALUES, maxExtLength: 64 };

/** Throws `invalid_input` for what is neither a MessagePack map nor the text of a JSON object. */
export function readFrame(frame: Frame): Record<string, unknown> {
  const value = typeof frame === "string" ? parseJson(frame) : unpack(frame);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw unreadable("a message should be a map of inputs");
}

function unpack(frame: Uint8Array): unknown {
  try {
    expectFewValues(frame, MOST_VALUES);
    return plain(decode(frame, LIMITS), DEEPEST);
  } catch (cause) {
    throw cause instanceof ForecourtError ? cause : unreadable("a binary message should be MessagePack", cause);
  }
}

/** Bytes, which JSON does not know, become data URIs: that is what inputs take files as. */
function plain(value: unknown, depth: number): unknown {
  if (value instanceof Uint8Array) return `data:application/octet-stream;base64,${value.toBase64()}`;
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth === 0) throw unreadable(`a message may be nested ${DEEPEST} levels deep`);
  if (Array.isArray(value)) return value.map((each) => plain(each, depth - 1));
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner, depth - 1)]));
}

function unreadable(what: string, cause?: unknown): ForecourtError {
  const problems = [{ loc: ["body"], msg: what, type: "value_error" }];
  return new ForecourtError("invalid_input", `The message cannot be read: ${what}.`, { problems, cause });
}

/** One result, in the kind of frame that its input came in. */
export const resultFrame = (value: unknown, kind: "text" | "binary"): Frame =>
  kind === "text" ? JSON.stringify(value) : encode(value, { ignoreUndefined: true });

/** Python's client takes control messages from text frames alone. */
export const controlFrame = {
  timings: (seconds: number) => JSON.stringify({ type: "x-fal-message", action: "timings", timing: seconds }),
  error: (error: string, reason: string, more: object = {}) =>
    JSON.stringify({ type: "x-fal-error", error, reason, ...more }),
  /** Makes JavaScript's client forget its token. */
  unauthorized: () => JSON.stringify({ status: "error", error: "Unauthorized" }),
};
