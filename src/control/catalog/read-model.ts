// A file of models/ as a checked model; every complaint names the file and the field.
import { YAML } from "bun";
import { ForecourtError, toFailure } from "../../core/errors.ts";
import { parse } from "../../core/schema.ts";
import { type Model, modelSchema } from "../../engine/model.ts";
import type { ModelFile } from "./models.macro.ts";

/** Throws `misconfigured`. */
export function readModel({ file, text }: ModelFile): Model {
  const value = parseYaml(text, file);
  rejectUnknownFields(value, file);
  return within(file, () => parse(modelSchema, value, [file]));
}

/** Adds the file's name to whatever is wrong with it. */
export function within<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const { message, problems } = toFailure(error);
    throw new ForecourtError("misconfigured", `${file}: ${message}.`, { ...(problems && { problems }), cause: error });
  }
}

const parseYaml = (text: string, file: string): unknown =>
  within(file, () => {
    try {
      return YAML.parse(text);
    } catch (error) {
      throw new ForecourtError("misconfigured", `not valid YAML, ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    }
  });

/** The parser drops unknown fields, as requests want it; in a file they are spelling mistakes. */
function rejectUnknownFields(value: unknown, file: string): void {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new ForecourtError("misconfigured", `${file}: should be a mapping with id, title, pipeline and so on.`);
  const unknown = Object.keys(value).find((name) => !(name in modelSchema.properties));
  if (unknown !== undefined)
    throw new ForecourtError(
      "misconfigured",
      `${file}: ${unknown} is not a field of a model (${Object.keys(modelSchema.properties).join(", ")}).`,
    );
}
