// `key=value` arguments as a model's input, each value read as the model's schema wants it.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { ForecourtError } from "../../core/errors.ts";
import type { TObject, TSchema } from "../../core/schema.ts";
import { wrongUsage } from "../failure.ts";

/**
 * Numbers, booleans and JSON by the field's type; `@file` in a field for media becomes a data URI. What does not read
 * as its type stays text, so that the model's own check says what is wrong. Throws a usage error for arguments that are
 * no `key=value` or name no field, `not_found` for a missing file.
 */
export async function readInput(schema: TObject, pairs: string[]): Promise<Record<string, unknown>> {
  const entries = await Promise.all(
    pairs.map(async (pair) => {
      const [name, text] = split(pair);
      const field = schema.properties[name];
      if (!field) throw wrongUsage(`${name} is no input of this model; it takes ${inputNames(schema)}.`);
      if (isMedia(field) && isForgottenFile(text))
        throw wrongUsage(`${name}: a file is sent with @ before its name: ${name}=@${text}`);
      return [name, await readValue(field, text)] as const;
    }),
  );
  return Object.fromEntries(entries);
}

const inputNames = (schema: TObject) => Object.keys(schema.properties).join(", ");

function split(pair: string): [name: string, text: string] {
  const at = pair.indexOf("=");
  if (at < 1) throw wrongUsage(`${pair} should be written as key=value, e.g. prompt="a red circle".`);
  return [pair.slice(0, at), pair.slice(at + 1)];
}

async function readValue(field: TSchema, text: string): Promise<unknown> {
  if (Array.isArray(field.anyOf)) return readUnion(field.anyOf, text);
  switch (field.type) {
    case "integer":
    case "number":
      return text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text);
    case "boolean":
      return text === "true" ? true : text === "false" ? false : text;
    case "string":
      return isMedia(field) && text.startsWith("@") ? dataUri(text.slice(1)) : text;
    case "array":
      return text.startsWith("[")
        ? parseJson(text)
        : Promise.all(text.split(",").map((each) => readValue(field.items, each)));
    default:
      return parseJson(text);
  }
}

/** The first branch whose type the text reads as; texts last, since everything reads as text. */
async function readUnion(branches: TSchema[], text: string): Promise<unknown> {
  for (const branch of branches.toSorted((a, b) => Number(a.type === "string") - Number(b.type === "string"))) {
    const value = await readValue(branch, text);
    if (branch.type === "string" || typeof value !== "string") return value;
  }
  return text;
}

const isForgottenFile = (text: string) => !/^(@|[a-z]+:)/i.test(text) && existsSync(text);

const isMedia = (field: TSchema) => field.media !== undefined;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // not JSON: the model's own check names the field and what it wants
  }
}

const TYPES: Record<string, string> = {
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".webp": "image/webp",
  ".gif": "image/gif",
  ".wav": "audio/wav",
  ".mp3": "audio/mpeg",
  ".flac": "audio/flac",
  ".ogg": "audio/ogg",
  ".mp4": "video/mp4",
};

async function dataUri(path: string): Promise<string> {
  const bytes = await readFile(path).catch((cause) => {
    throw new ForecourtError("not_found", `The file ${path} can't be read: ${cause.message}.`, { cause });
  });
  const type = TYPES[extname(path).toLowerCase()] ?? "application/octet-stream";
  return `data:${type};base64,${bytes.toString("base64")}`;
}
