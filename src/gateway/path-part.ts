// A part of a path as the text that it encodes.
import { ForecourtError } from "../core/errors.ts";

/** Throws `bad_request` for what is not properly percent-encoded. */
export function pathPart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw new ForecourtError("bad_request", "The path is not properly percent-encoded.", { cause });
  }
}
