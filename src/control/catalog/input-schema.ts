// A model's own input schema: its pipeline's, with the model's defaults and tighter bounds.
import { ForecourtError } from "../../core/errors.ts";
import { parse, type TObject, type TSchema, Type } from "../../core/schema.ts";
import type { Model } from "../../engine/model.ts";

type Bound = Model["bounds"][string];

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

function tighten(name: string, schema: TSchema, { minimum, maximum }: Bound): TSchema {
  if (schema.type !== "number" && schema.type !== "integer") throw wrong(`bounds.${name}: ${name} is not a number`);
  const low = Math.max(minimum ?? Number.NEGATIVE_INFINITY, schema.minimum ?? Number.NEGATIVE_INFINITY);
  const high = Math.min(maximum ?? Number.POSITIVE_INFINITY, schema.maximum ?? Number.POSITIVE_INFINITY);
  if (low > high) throw wrong(`bounds.${name}: no number is between ${low} and ${high}`);
  const bounded = { ...schema, ...(low > -Infinity && { minimum: low }), ...(high < Infinity && { maximum: high }) };
  return schema.default === undefined
    ? bounded
    : { ...bounded, default: Math.min(Math.max(schema.default, low), high) };
}

function withDefault(name: string, schema: TSchema, value: unknown): TSchema {
  const checked = parse(Type.Object({ [name]: schema }), { [name]: value }, ["defaults"]);
  return { ...schema, default: checked[name] };
}

const notAnInput = (name: string, { properties }: TObject) =>
  wrong(`${name} is not an input of this pipeline (${Object.keys(properties).join(", ")})`);
const wrong = (message: string) => new ForecourtError("misconfigured", message);
