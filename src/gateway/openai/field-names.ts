// Problems with a model's input, told by the names that its fields have in OpenAI's requests.
import { ForecourtError } from "../../core/errors.ts";

/** From a field of a model's input to the one that it was made of. */
export type FieldNames = Readonly<Record<string, string>>;

/** What lies below a renamed field is left out: it has no counterpart. Other errors stay as they are. */
export function inFieldNames(names: FieldNames, error: unknown): unknown {
  if (!(error instanceof ForecourtError) || !error.problems) return error;
  const problems = error.problems.map((problem) => {
    const [root = "body", field] = problem.loc;
    const name = typeof field === "string" && Object.hasOwn(names, field) ? names[field] : undefined;
    return name === undefined ? problem : { ...problem, loc: [root, name] };
  });
  const { code, details } = error;
  return new ForecourtError(code, renamed(error.message, names), {
    ...{ problems, cause: error },
    ...(details && { details }),
  });
}

/** Messages begin with the field, or with one after the other: `image_size.width: ...; prompt: ...`. */
const renamed = (message: string, names: FieldNames) =>
  message.replace(/(^|; )(\w+)((?:\.\w+)*)(?=: )/g, (whole, before: string, field: string) =>
    Object.hasOwn(names, field) ? `${before}${names[field]}` : whole,
  );
