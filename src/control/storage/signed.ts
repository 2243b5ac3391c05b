// Does a token in a file's URL (`?identity=`) open that file?
import { ForecourtError } from "../../core/errors.ts";
import type { Tokens } from "../keys/tokens.ts";

/** False for none, and for one that is not valid (any more). */
export function isSigned(tokens: Pick<Tokens, "verify">, identity: string | null, file: string): boolean {
  if (identity === null) return false;
  try {
    return tokens.verify(identity, "file").grant.file === file;
  } catch (error) {
    if (error instanceof ForecourtError) return false;
    throw error;
  }
}
