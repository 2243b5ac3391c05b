// A field of a request that is wrong beyond what its schema says.
import { type FieldProblem, ForecourtError } from "./errors.ts";

/** `path` is of the body: a name, or names and places within lists. */
export function wrongField(path: string | (string | number)[], msg: string, type = "value_error"): ForecourtError {
  const loc: FieldProblem["loc"] = ["body", ...[path].flat()];
  return new ForecourtError("invalid_input", `${loc.slice(1).join(".")}: ${msg}`, { problems: [{ loc, msg, type }] });
}

/** What a list in the body says, text by text; a text that cannot be read is a problem of its place in the list. */
export const eachIn = <T>(field: string, texts: readonly string[], read: (text: string) => T): T[] =>
  texts.map((text, at) => {
    try {
      return read(text);
    } catch (error) {
      if (!(error instanceof ForecourtError) || error.code !== "bad_request") throw error;
      const problems = [{ loc: ["body", field, at], msg: error.message, type: "value_error", input: text }];
      throw new ForecourtError("invalid_input", error.message, { problems, cause: error });
    }
  });
