// Bytes behind the URLs of a job's input: data URIs are decoded here, other URLs were fetched by the server beforehand.
import { readFile } from "node:fs/promises";
import { isDataUri } from "../../core/data-uri.ts";
import { type FieldProblem, ForecourtError } from "../../core/errors.ts";
import { MIB } from "../../core/units.ts";
import type { RunJob } from "../protocol.ts";

type Loc = FieldProblem["loc"];

/** Of the decoded data; the server bounds request bodies and downloads itself, this holds for every other way in. */
const MAX_BYTES = 256 * MIB;

/** Throws `invalid_input` that names the field with a URL which cannot be read. */
export async function readMedia(url: string, { input, media }: Pick<RunJob, "input" | "media">): Promise<Uint8Array> {
  const loc = fieldOf(input, url);
  if (isDataUri(url)) return decodeDataUri(url, loc);
  const path = Object.hasOwn(media, url) ? media[url] : undefined;
  if (path === undefined) throw unreadable(loc, "the server did not fetch it");
  return new Uint8Array(await readFile(path));
}

/** `data:[type][;attribute=value]*[;base64],DATA` (RFC 2397). */
function decodeDataUri(url: string, loc: Loc): Uint8Array {
  const comma = url.indexOf(",");
  if (comma < 0) throw unreadable(loc, "the data URI has no comma");
  const data = url.slice(comma + 1);
  if (data.length > MAX_BYTES * 1.4) throw tooLarge(loc);
  const bytes = /;\s*base64\s*$/i.test(url.slice(0, comma)) ? fromBase64(data, loc) : fromPercent(data, loc);
  if (bytes.byteLength === 0) throw unreadable(loc, "the data URI is empty");
  if (bytes.byteLength > MAX_BYTES) throw tooLarge(loc);
  return bytes;
}

/** Both alphabets, white space allowed, padding optional. */
function fromBase64(data: string, loc: Loc): Uint8Array {
  const text = (data.includes("%") ? new TextDecoder().decode(fromPercent(data, loc)) : data).replace(/\s/g, "");
  try {
    return Uint8Array.fromBase64(text.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    throw unreadable(loc, "the data URI is not valid base64");
  }
}

/** `%xx` stands for one byte of any value, everything else for itself. */
function fromPercent(data: string, loc: Loc): Uint8Array {
  const given = new TextEncoder().encode(data);
  const bytes = new Uint8Array(given.byteLength);
  let length = 0;
  for (let at = 0; at < given.byteLength; at++) {
    const byte = given[at] ?? 0;
    if (byte !== PERCENT) {
      bytes[length++] = byte;
      continue;
    }
    const digits = String.fromCharCode(...given.subarray(at + 1, at + 3));
    if (!/^[0-9a-f]{2}$/i.test(digits)) throw unreadable(loc, "the data URI has a broken % escape");
    bytes[length++] = Number.parseInt(digits, 16);
    at += 2;
  }
  return bytes.subarray(0, length);
}

const PERCENT = 0x25;

/** Where the input has this URL: its own field, or within a list or object. */
function fieldOf(value: unknown, url: string, at: Loc = ["body"]): Loc {
  if (typeof value !== "object" || value === null) return at;
  for (const [name, inner] of Object.entries(value)) {
    const here = [...at, Array.isArray(value) ? Number(name) : name];
    if (inner === url) return here;
    const found = fieldOf(inner, url, here);
    if (found.length > at.length + 1) return found;
  }
  return at;
}

function unreadable(loc: Loc, why: string): ForecourtError {
  const msg = `Failed to read the file: ${why}.`;
  return new ForecourtError("invalid_input", msg, { problems: [{ loc, msg, type: "file_download_error" }] });
}

function tooLarge(loc: Loc): ForecourtError {
  const msg = `The file is larger than ${MAX_BYTES / MIB} MiB`;
  return new ForecourtError("invalid_input", msg, {
    problems: [{ loc, msg, type: "file_too_large", ctx: { max_size: MAX_BYTES } }],
  });
}
