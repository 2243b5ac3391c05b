// A file of models/ as a checked model; every complaint names the file and the field.
import { ForecourtError, toFailure } from "../../core/errors.ts";
import { readYaml } from "../../core/read-yaml.ts";
import { parse } from "../../core/schema.ts";
import { isMapping, unknownFields } from "../../core/unknown-fields.ts";
import { type Model, modelSchema } from "../../engine/model.ts";
import { expectSources } from "../../engine/sources.ts";
import { expectVariants } from "../../engine/variants.ts";
import type { ModelFile } from "./models.macro.ts";

/** Throws `misconfigured`. */
export function readModel({ file, text }: ModelFile): Model {
  const value = parseYaml(text, file);
  rejectUnknownFields(value, file);
  return within(file, () => {
    const model = parse(modelSchema, value, [file]);
    expectSources(model);
    expectVariants(model);
    return model;
  });
}

/** Adds the file's name to whatever is wrong with it. */
export function within<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const { message, problems } = toFailure(error);
    throw new ForecourtError("misconfigured", `${file}: ${message.replace(/\.$/, "")}.`, {
      ...(problems && { problems }),
      cause: error,
    });
  }
}

const parseYaml = (text: string, file: string): unknown =>
  within(file, () => {
    try {
      return readYaml(text);
    } catch (error) {
      throw new ForecourtError("misconfigured", `not valid YAML, ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    }
  });

/** The parser drops unknown fields, as requests want it; in a file they are spelling mistakes. */
function rejectUnknownFields(value: unknown, file: string): void {
  if (!isMapping(value))
    throw new ForecourtError("misconfigured", `${file}: should be a mapping with id, title, pipeline and so on.`);
  const [unknown] = unknownFields(modelSchema, value, []);
  if (!unknown) return;
  const known = unknown.known.join(", ");
  throw new ForecourtError(
    "misconfigured",
    `${file}: ${unknown.path.join(".")} is not a field of a model file (${known}).`,
  );
}
