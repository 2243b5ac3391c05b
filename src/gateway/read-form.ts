// A multipart form as plain fields: texts, files, and lists where a field is named more than once or ends in [].
import { ForecourtError } from "../core/errors.ts";
import type { Bytes } from "../core/units.ts";
import { readBytes } from "./read-bytes.ts";
import { inTime } from "./read-json.ts";

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
  return `data:${type};base64,${Buffer.from(await file.arrayBuffer()).toString("base64")}`;
}

function noForm(msg: string, cause?: unknown): ForecourtError {
  return new ForecourtError("bad_request", msg, { problems: [{ loc: ["body"], msg, type: "value_error" }], cause });
}

async function formOf(body: Uint8Array<ArrayBuffer>, type: string): Promise<[string, string | File][]> {
  try {
    const form = await new Response(body, { headers: { "content-type": type } }).formData();
    return [...form] as [string, string | File][]; // what FormData holds
  } catch (cause) {
    throw noForm("The multipart body cannot be read.", cause);
  }
}
