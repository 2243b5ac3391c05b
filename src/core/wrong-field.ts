// A field of a request that is wrong beyond what its schema says.
import { type FieldProblem, ForecourtError } from "./errors.ts";

/** `path` is of the body: a name, or names and places within lists. */
export function wrongField(path: string | (string | number)[], msg: string, type = "value_error"): ForecourtError {
  const loc: FieldProblem["loc"] = ["body", ...[path].flat()];
  return new ForecourtError("invalid_input", `${loc.slice(1).join(".")}: ${msg}`, { problems: [{ loc, msg, type }] });
}
