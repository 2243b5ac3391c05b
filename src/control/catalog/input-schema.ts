// A model's own input schema: its pipeline's, with the model's defaults and tighter bounds.
import { ForecourtError } from "../../core/errors.ts";
import { fieldProblems } from "../../core/field-problems.ts";
import type { TObject, TSchema } from "../../core/schema.ts";
import type { Model } from "../../engine/model.ts";

export type Bound = Model["bounds"][string];

/**
 * A field that the model gives a default is no longer required. Throws `misconfigured` for names that are not inputs,
 * bounds of fields that are not numbers, and defaults that the field does not allow.
 */
export function inputSchemaOf(
  pipelineInput: TObject,
  { defaults, bounds }: Pick<Model, "defaults" | "bounds">,
): TObject {
  for (const name of [...Object.keys(defaults), ...Object.keys(bounds)])
    if (!(name in pipelineInput.properties)) throw notAnInput(name, pipelineInput);
  const properties = Object.fromEntries(
    Object.entries(pipelineInput.properties).map(([name, schema]) => {
      const bounded = bounds[name] ? tighten(name, schema, bounds[name]) : schema;
      return [name, name in defaults ? withDefault(name, bounded, defaults[name]) : bounded];
    }),
  );
  const optional = new Set(optionalNames(pipelineInput));
  const required = Object.keys(properties).filter(
    (name) => !optional.has(name) && properties[name]?.default === undefined,
  );
  const { required: _, ...rest } = pipelineInput;
  return { ...rest, properties, ...(required.length > 0 && { required }) } as TObject; // the spread keeps TypeBox's symbols
}

const optionalNames = ({ properties, required = [] }: TObject) =>
  Object.keys(properties).filter((name) => !required.includes(name));

/** Bounds of a choice with amounts drop what goes beyond; those of an object hold for each of its numbers. */
export function tighten(name: string, schema: TSchema, bound: Bound): TSchema {
  if (Array.isArray(schema.anyOf)) {
    const branches = schema.anyOf.map((branch: TSchema) => tighten(name, branch, bound));
    const left = branches.filter((branch) => !Array.isArray(branch.enum) || branch.enum.length > 0);
    if (left.length === 0) throw wrong(`bounds.${name}: nothing is left to choose from`);
    return { ...schema, anyOf: left };
  }
  if (schema.amounts !== undefined) return { ...schema, enum: schema.enum.filter(isWithin(schema.amounts, bound)) };
  if (schema.type !== "object") return tightenNumber(name, schema, bound);
  const properties = Object.entries<TSchema>(schema.properties).map(([part, inner]) => [
    part,
    tighten(`${name}.${part}`, inner, bound),
  ]);
  return { ...schema, properties: Object.fromEntries(properties) };
}

const isWithin =
  (amounts: Record<string, number>, { minimum = -Infinity, maximum = Infinity }: Bound) =>
  (value: string) => {
    const amount = amounts[value];
    return amount !== undefined && amount >= minimum && amount <= maximum;
  };

function tightenNumber(name: string, schema: TSchema, { minimum, maximum }: Bound): TSchema {
  if (schema.type !== "number" && schema.type !== "integer") throw wrong(`bounds.${name}: ${name} is not a number`);
  const low = Math.max(minimum ?? Number.NEGATIVE_INFINITY, schema.minimum ?? Number.NEGATIVE_INFINITY);
  const high = Math.min(maximum ?? Number.POSITIVE_INFINITY, schema.maximum ?? Number.POSITIVE_INFINITY);
  if (low > high) throw wrong(`bounds.${name}: no number is between ${low} and ${high}`);
  const bounded = { ...schema, ...(low > -Infinity && { minimum: low }), ...(high < Infinity && { maximum: high }) };
  return schema.default === undefined
    ? bounded
    : { ...bounded, default: Math.min(Math.max(schema.default, low), high) };
}

/** Not by `parse`, which compiles the schema: hundreds of models would wait seconds for checks that run once. */
export function withDefault(name: string, schema: TSchema, value: unknown): TSchema {
  const [problem] = fieldProblems(schema, value, ["defaults", name]);
  if (problem) throw wrong(`${problem.loc.join(".")}: ${problem.msg}`);
  return { ...schema, default: value };
}

const notAnInput = (name: string, { properties }: TObject) =>
  wrong(`${name} is not an input of this pipeline (${Object.keys(properties).join(", ")})`);
export const wrong = (message: string) => new ForecourtError("misconfigured", message);
