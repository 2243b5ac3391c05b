// A multipart form as plain fields: texts, files, and lists where a field is named more than once or ends in [].
import { ForecourtError } from "../core/errors.ts";
import type { Bytes } from "../core/units.ts";
import { createPause } from "../engine/pause.ts";
import { readBytes } from "./read-bytes.ts";
import { inTime, TURN_MS } from "./read-json.ts";

export type FormFields = Record<string, string | File | (string | File)[]>;

/** Throws `payload_too_large`, and `bad_request` for what is no form. */
export async function readForm(request: Request, limit: Bytes): Promise<FormFields> {
  const type = request.headers.get("content-type") ?? "";
  if (!type.toLowerCase().startsWith("multipart/form-data")) throw noForm("Send a multipart/form-data body.");
  const body = await inTime(readBytes(request, limit));
  const fields: FormFields = Object.create(null); // a form may well have a field named "constructor"
  for (const [name, value] of await formOf(body, type)) {
    const bare = name.replace(/\[\]$/, "");
    const known = fields[bare];
    if (known === undefined) fields[bare] = name === bare ? value : [value];
    else if (Array.isArray(known)) known.push(value);
    else fields[bare] = [known, value];
  }
  return fields;
}

/** Numbers and truth values come as text. */
export function plainText(value: string): unknown {
  if (value === "true" || value === "false") return value === "true";
  return /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value) ? Number(value) : value;
}

export async function dataUri(file: File): Promise<string> {
  const type = file.type === "" ? "application/octet-stream" : file.type.replace(/;.*/, "");
  let text = `data:${type};base64,`;
  for (let at = 0; at < file.size; at += PIECE)
    text += Buffer.from(await file.slice(at, at + PIECE).arrayBuffer()).toString("base64");
  return text;
}

/** Of a file, a few milliseconds' work; three bytes are four letters. */
const PIECE = 3 * 2 ** 18;

function noForm(msg: string, cause?: unknown): ForecourtError {
  return new ForecourtError("bad_request", msg, { problems: [{ loc: ["body"], msg, type: "value_error" }], cause });
}

/** The longest list that a form may hold is of 16 pictures. Reading so many parts takes a millisecond or two. */
const MOST_PARTS = 1000;

/** Throws `bad_request`. Every part has a line with the boundary before it. */
async function expectFewParts(body: Uint8Array, type: string): Promise<void> {
  const [, quoted, bare] = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(type) ?? [];
  const line = `--${quoted ?? bare ?? ""}`;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const pause = createPause(undefined, TURN_MS);
  let parts = 0;
  for (let from = 0; from < bytes.length; from += PIECE) {
    const piece = bytes.subarray(from, from + PIECE + line.length - 1);
    for (let at = piece.indexOf(line); at >= 0; at = piece.indexOf(line, at + line.length)) parts++;
    // The last one stands after all parts.
    if (parts > MOST_PARTS + 1) throw noForm(`A multipart body has at most ${MOST_PARTS} parts.`);
    await pause();
  }
}

async function formOf(body: Uint8Array<ArrayBuffer>, type: string): Promise<[string, string | File][]> {
  await expectFewParts(body, type);
  try {
    const form = await new Response(body, { headers: { "content-type": type } }).formData();
    return [...form] as [string, string | File][]; // what FormData holds
  } catch (cause) {
    throw noForm("The multipart body cannot be read.", cause);
  }
}
