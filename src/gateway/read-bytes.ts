// A request's body as bytes, bounded in size whatever the client sends.
import { ForecourtError } from "../core/errors.ts";
import type { Bytes } from "../core/units.ts";

/** Throws `payload_too_large` without reading further, and `bad_request` for a body that is packed. */
export async function* chunksOf(request: Request, limit: Bytes): AsyncGenerator<Uint8Array> {
  expectPlain(request.headers.get("content-encoding"));
  if (Number(request.headers.get("content-length") ?? 0) > limit) throw tooLarge(limit);
  if (request.body === null) return;
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.byteLength;
    if (size > limit) throw tooLarge(limit);
    yield chunk;
  }
}

/** Throws as `chunksOf`. */
export async function readBytes(request: Request, limit: Bytes): Promise<Uint8Array<ArrayBuffer>> {
  const chunks = await Array.fromAsync(chunksOf(request, limit));
  const size = chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

/** Unpacked, a short body may be of any length. Throws `bad_request` for one that is packed. */
export function expectPlain(encoding: string | null): void {
  if (encoding === null || /^\s*(identity)?\s*$/i.test(encoding)) return;
  const name = encoding.slice(0, 50);
  throw new ForecourtError("bad_request", `A body of the Content-Encoding ${name} is not read here: send it as it is.`);
}

export const tooLarge = (limit: Bytes) =>
  new ForecourtError("payload_too_large", `The request body is larger than ${limit} bytes. Send large files by URL.`, {
    details: { limit },
  });
