// Schemas of the single fields of an endpoint: of those that stand for a pipeline's input, and of those that only pass.
import { choice, choiceOfNumbers, type TSchema, Type } from "../../core/schema.ts";
import type { AcceptedInput, MeantInput } from "../../engine/endpoints/declaration.ts";
import { tighten, withDefault, wrong } from "./input-schema.ts";

type Values = NonNullable<MeantInput["values"]>;

/** The pipeline's schema, with fewer values, a narrower range, another default and other words. */
export function changedSchema(name: string, schema: TSchema, change: MeantInput): TSchema {
  const { minimum, maximum, values, default: value, description } = change;
  const chosen = values ? onlyThese(name, schema, values) : schema;
  const bound = { ...(minimum !== undefined && { minimum }), ...(maximum !== undefined && { maximum }) };
  const bounded = Object.keys(bound).length > 0 ? tighten(name, chosen, bound) : chosen;
  const described = description === undefined ? bounded : { ...bounded, description };
  if (value !== undefined) return withDefault(name, described, value);
  return change.required ? withoutDefault(described) : described;
}

function withoutDefault({ default: _, ...schema }: TSchema): TSchema {
  return schema as TSchema; // the spread keeps TypeBox's symbols
}

export const isOfNumbers = (schema: TSchema | undefined): boolean =>
  schema?.type === "integer" || schema?.type === "number";

function onlyThese(name: string, schema: TSchema, values: Values): TSchema {
  const { description, default: value } = schema;
  if (schema.type === "integer" || schema.type === "number")
    return choiceOfNumbers(numbersOf(name, values), schema.type, {
      description,
      ...(value !== undefined && { default: value }),
    });
  if (schema.type === "string" && !schema.enum && schema.format === undefined)
    return choice(values.map(String), {
      ...(description !== undefined && { description }),
      ...(value !== undefined && { default: value }),
    });
  if (!Array.isArray(schema.enum)) throw wrong(`${name}: values are for choices, texts and numbers`);
  const unknown = values.filter((each) => !schema.enum.includes(each));
  if (unknown.length > 0) throw wrong(`${name}: ${unknown.join(", ")} is none of ${schema.enum.join(", ")}`);
  return { ...schema, enum: [...values] };
}

function numbersOf(name: string, values: Values): number[] {
  const numbers = values.map(Number);
  if (numbers.some(Number.isNaN)) throw wrong(`${name}: values of a number are numbers`);
  return numbers;
}

export function acceptedSchema(name: string, declared: AcceptedInput): TSchema {
  const { accepted, values, minimum, maximum, default: value, refusal, description = "" } = declared;
  const fate = refusal === undefined ? "Accepted, and changes nothing here." : refusal;
  const options = { description: [description, fate].filter((text) => text !== "").join(" ") };
  const range = { ...(minimum !== undefined && { minimum }), ...(maximum !== undefined && { maximum }) };
  const schema = (): TSchema => {
    switch (accepted) {
      case "string":
        return values ? choice(values.map(String), options) : Type.String(options);
      case "integer":
      case "number":
        if (values) return choiceOfNumbers(numbersOf(name, values), accepted, options);
        return accepted === "integer" ? Type.Integer({ ...options, ...range }) : Type.Number({ ...options, ...range });
      case "boolean":
        return Type.Boolean(options);
      case "list":
        return Type.Array(Type.Unknown(), options);
      case "object":
        return Type.Record(Type.String(), Type.Unknown(), options);
    }
  };
  return value === undefined ? schema() : withDefault(name, schema(), value);
}
