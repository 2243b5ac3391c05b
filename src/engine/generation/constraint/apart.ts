// Whether of two JSON schemas one never fits what is written by the other: then of a oneOf no more than that one fits.
import { takesKind, typesOf, valuesIn } from "./kinds.ts";
import { flattened, listIn, type Schema, schemaIn, type Within } from "./whole-schema.ts";

/** Schemas that contain themselves are looked into so far. */
const DEEPEST = 6;
const MOST_OPTIONS = 64;

/** Pair by pair. */
export function areApart(options: readonly unknown[], within: Within): boolean {
  if (options.length > MOST_OPTIONS) return false;
  return options.every((one, at) =>
    options.every((other, place) => place === at || isApart(one, other, { ...within, deep: 0 })),
  );
}

type Around = Within & { deep: number };

/** No value that `written` describes, as it is written here, fits `other`. false: that is not known. */
function isApart(written: unknown, other: unknown, { deep, ...within }: Around): boolean {
  const [a, b] = [flattened(written, within), flattened(other, within)];
  if (a === false || b === false) return true;
  if (deep > DEEPEST) return false;
  const around = { ...within, deep: deep + 1 };
  const [as, bs] = [optionsIn(a), optionsIn(b)];
  if (as) return as.every((each) => isApart(each, b, around));
  if (bs) return bs.every((each) => isApart(a, each, around));
  const [values, others] = [valuesIn(a), valuesIn(b)];
  if (values) return values.every((value) => !mayFit(value, b));
  if (others) return others.every((value) => !mayFit(value, a));
  const shared = sharedKinds(a, b);
  return shared.every((kind) => kind === "object") && (shared.length === 0 || areObjectsApart(a, b, around));
}

/** With what stands beside the choice. */
function optionsIn(schema: Schema): unknown[] | undefined {
  const { anyOf, oneOf, nullable, ...beside } = schema;
  const options = anyOf ?? oneOf;
  if (!Array.isArray(options)) return undefined;
  const whole = options.map((option) => ({ allOf: [anyOf && oneOf ? { ...beside, oneOf } : beside, option] }));
  return nullable === true ? [...whole, { type: "null" }] : whole;
}

function mayFit(value: unknown, schema: Schema): boolean {
  const listed = valuesIn(schema);
  const isListed = listed === undefined || listed.some((each) => JSON.stringify(each) === JSON.stringify(value));
  return isListed && takesKind(schema, value);
}

function sharedKinds(a: Schema, b: Schema): string[] {
  const [ofA, ofB] = [kindsOf(a), kindsOf(b)];
  return [...ofA].filter((kind) => ofB.has(kind));
}

const kindsOf = (schema: Schema) => {
  const types = schema.nullable === true ? [...typesOf(schema), "null"] : typesOf(schema);
  return new Set(types.map((type) => (type === "integer" ? "number" : type)));
};

/** One asks for a member that the other never has or must not have, or both mean different things by one that is always there. */
function areObjectsApart(a: Schema, b: Schema, around: Around): boolean {
  const [of, others] = [schemaIn(a.properties), schemaIn(b.properties)];
  const required = listIn(a.required);
  // As the grammar of an object has it.
  const hasOthers = (a.additionalProperties ?? !("properties" in a || required.length > 0)) !== false;
  const isWritten = (name: string) => required.includes(name) || Object.hasOwn(of, name) || hasOthers;
  if (listIn(b.required).some((name) => !isWritten(name))) return true;
  if (b.additionalProperties === false && required.some((name) => !Object.hasOwn(others, name))) return true;
  return required.some((name) => Object.hasOwn(others, name) && isApart(of[name] ?? true, others[name], around));
}
