// A part of a path as the text that it encodes.
import { ForecourtError } from "../core/errors.ts";

/** Throws `bad_request` for what is not properly percent-encoded. */
export function pathPart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw malformed(cause);
  }
}

/** Elysia 1.4 gives null for a `:name` that is not properly percent-encoded, whatever its type says. Throws as above. */
export function requireParts(params: Readonly<Record<string, string | null | undefined>> = {}): void {
  if (Object.values(params).includes(null)) throw malformed();
}

const malformed = (cause?: unknown) =>
  new ForecourtError("bad_request", "The path is not properly percent-encoded.", { cause });
