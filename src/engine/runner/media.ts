// Bytes behind the URLs of a job's input: data URIs are decoded here, other URLs were fetched by the server beforehand.
import { readFile } from "node:fs/promises";
import { ForecourtError } from "../../core/errors.ts";
import { MIB } from "../../core/units.ts";
import type { RunJob } from "../protocol.ts";

/** Of the decoded data; the server bounds request bodies and downloads itself, this holds for every other way in. */
const MAX_BYTES = 256 * MIB;

/** Throws `invalid_input` that names the field with a URL which cannot be read. */
export async function readMedia(url: string, { input, media }: Pick<RunJob, "input" | "media">): Promise<Uint8Array> {
  const loc = fieldOf(input, url);
  if (/^data:/i.test(url)) return decodeDataUri(url, loc);
  const path = Object.hasOwn(media, url) ? media[url] : undefined;
  if (path === undefined) throw unreadable(loc, "the server did not fetch it");
  return new Uint8Array(await readFile(path));
}

/** `data:[type][;attribute=value]*[;base64],DATA` (RFC 2397). */
function decodeDataUri(url: string, loc: string[]): Uint8Array {
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
function fromBase64(data: string, loc: string[]): Uint8Array {
  const text = (data.includes("%") ? new TextDecoder().decode(fromPercent(data, loc)) : data).replace(/\s/g, "");
  try {
    return Uint8Array.fromBase64(text.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    throw unreadable(loc, "the data URI is not valid base64");
  }
}

function fromPercent(data: string, loc: string[]): Uint8Array {
  try {
    return new TextEncoder().encode(decodeURIComponent(data));
  } catch {
    throw unreadable(loc, "the data URI has a broken % escape");
  }
}

/** Where the input has this URL: its own field, or within a list or object. */
function fieldOf(value: unknown, url: string, at: string[] = ["body"]): string[] {
  if (typeof value !== "object" || value === null) return at;
  for (const [name, inner] of Object.entries(value)) {
    if (inner === url) return [...at, name];
    const found = fieldOf(inner, url, [...at, name]);
    if (found.length > at.length + 1) return found;
  }
  return at;
}

function unreadable(loc: string[], why: string): ForecourtError {
  const msg = `Failed to read the file: ${why}.`;
  return new ForecourtError("invalid_input", msg, { problems: [{ loc, msg, type: "file_download_error" }] });
}

function tooLarge(loc: string[]): ForecourtError {
  const msg = `The file is larger than ${MAX_BYTES / MIB} MiB`;
  return new ForecourtError("invalid_input", msg, {
    problems: [{ loc, msg, type: "file_too_large", ctx: { max_size: MAX_BYTES } }],
  });
}
