// A request's body as bytes, bounded in size whatever the client sends.
import { ForecourtError } from "../core/errors.ts";
import type { Bytes } from "../core/units.ts";

/** Throws `payload_too_large` without reading further. */
export async function readBytes(request: Request, limit: Bytes): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(request.headers.get("content-length") ?? 0) > limit) throw tooLarge(limit);
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.byteLength;
    if (size > limit) throw tooLarge(limit);
    chunks.push(chunk);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

export const tooLarge = (limit: Bytes) =>
  new ForecourtError("payload_too_large", `The request body is larger than ${limit} bytes. Send large files by URL.`, {
    details: { limit },
  });
