// A file of models/ as a checked model; every complaint names the file and the field.
import { YAML } from "bun";
import { ForecourtError, toFailure } from "../../core/errors.ts";
import { parse, type TSchema } from "../../core/schema.ts";
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
      return YAML.parse(text);
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

type Unknown = { path: string[]; known: string[] };

function unknownFields(schema: TSchema, value: unknown, path: string[]): Unknown[] {
  if (schema.anyOf) {
    const branches: TSchema[] = schema.anyOf.filter((branch: TSchema) => isMeant(branch, value));
    return bestBranch(branches.map((branch) => unknownFields(branch, value, path)));
  }
  if (Array.isArray(value) && schema.items)
    return value.flatMap((each, at) => unknownFields(schema.items, each, [...path, String(at)]));
  if (!isMapping(value)) return [];
  const [record] = Object.entries<TSchema>(schema.patternProperties ?? {});
  if (record) {
    const [pattern, entries] = record;
    return Object.entries(value).flatMap(([name, each]) => {
      const here = [...path, name];
      return new RegExp(pattern).test(name)
        ? unknownFields(entries, each, here)
        : [{ path: here, known: [`names like ${pattern}`] }];
    });
  }
  if (!schema.properties) return [];
  return Object.entries(value).flatMap(([name, field]) => {
    const here = [...path, name];
    const property: TSchema | undefined = schema.properties[name];
    return property ? unknownFields(property, field, here) : [{ path: here, known: Object.keys(schema.properties) }];
  });
}

/** False for a branch that names itself (`kind: image`) where the value names another. */
const isMeant = ({ properties = {} }: TSchema, value: unknown) =>
  !isMapping(value) ||
  Object.entries<TSchema>(properties).every(([name, each]) => each.const === undefined || each.const === value[name]);

const bestBranch = (branches: Unknown[][]): Unknown[] => branches.toSorted((a, b) => a.length - b.length)[0] ?? [];

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
