// The one schema language (TypeBox): validation, static type, default and documentation from one value.
// With field-problems.ts, its other half, the only file that imports typebox.
import { FormatRegistry, Kind, type Static, type TObject, type TSchema, Type, TypeRegistry } from "@sinclair/typebox";
import { type TypeCheck, TypeCompiler } from "@sinclair/typebox/compiler";
import { Value } from "@sinclair/typebox/value";
import { ForecourtError } from "./errors.ts";
import { fieldProblems } from "./field-problems.ts";

export type { Static, TObject, TSchema };
export { Type };

/** What a user may point a field at; the server fetches it before the run. */
export type MediaKind = "image" | "audio" | "video";

/** A string field that holds a URL or data URI of weights, a Hub repository, or the path of a file among the model's own. */
export const weightsUrl = (description: string) =>
  Type.String({ description, minLength: 1, media: "weights", onlyUrls: true });

/** In such a field: `owner/name` on the Hub, and no file. */
export const isHubRepository = (path: string) => /^[\w.-]+\/[\w.-]+$/.test(path) && !path.endsWith(".safetensors");

/** A string field that holds a URL or data URI of a file. */
export const mediaUrl = (media: MediaKind, description: string) =>
  Type.String({ description, minLength: 1, media, ui: { field: media, important: true } });

const ADDRESS = "web-address";
FormatRegistry.Set(ADDRESS, (text) => /^https?:\/\/[^\s]+$/.test(text) && URL.canParse(text));
const ADDRESS_OR_NONE = `${ADDRESS}-or-empty`;
FormatRegistry.Set(ADDRESS_OR_NONE, (text) => text === "" || (FormatRegistry.Get(ADDRESS)?.(text) ?? false));

/** An address of http or https that leads somewhere, as far as it can be seen; `expected` says in words what is wanted. */
export const webAddress = (options: { expected: string; pattern?: string; mayBeEmpty?: boolean }) => {
  const { mayBeEmpty = false, ...rest } = options;
  return Type.String({ format: mayBeEmpty ? ADDRESS_OR_NONE : ADDRESS, ...rest });
};

const CHOICE = "Choice";
TypeRegistry.Set(CHOICE, (schema: TSchema, value) => Array.isArray(schema.enum) && schema.enum.includes(value));

/**
 * One string of a list, as a plain JSON Schema `enum` (documentation pages show it as a menu). `amounts` says what each
 * stands for where bounds on the field are to drop some.
 */
export const choice = <const Values extends readonly string[]>(
  values: Values,
  options: { description?: string; default?: Values[number]; amounts?: Record<string, number> } = {},
) => Type.Unsafe<Values[number]>({ type: "string", enum: [...values], ...options, [Kind]: CHOICE });

/** One number of a list, as such or as text: some of fal's own fields are of the one kind, their examples of the other. */
export const choiceOfNumbers = (values: readonly number[], type: "integer" | "number", options: object = {}) =>
  Type.Union(
    [
      Type.Unsafe<number>({ type, enum: [...values], [Kind]: CHOICE }),
      Type.Unsafe<string>({ type: "string", enum: values.map(String), [Kind]: CHOICE }),
    ],
    options,
  );

const compiled = new WeakMap<TSchema, TypeCheck<TSchema>>();

function compile(schema: TSchema): TypeCheck<TSchema> {
  const known = compiled.get(schema);
  if (known) return known;
  const made = TypeCompiler.Compile(schema);
  compiled.set(schema, made);
  return made;
}

/**
 * A checked copy of `value`: defaults filled in, unknown fields dropped, `null` in an optional field read as absent
 * (as fal's servers do). Throws `invalid_input` with one problem per wrong field.
 */
export function parse<S extends TObject>(schema: S, value: unknown, root: string[] = ["body"]): Static<S> {
  const filled = Value.Default(
    schema,
    Value.Clean(schema, withoutNulls(schema, structuredClone(onlyKnown(schema, value)))),
  );
  const given = unmixed(value, filled);
  const check = compile(schema);
  if (check.Check(given)) return given as Static<S>;
  const problems = fieldProblems(schema, given, root);
  throw new ForecourtError("invalid_input", summarise(problems), { problems });
}

/**
 * The same for words of our own, where a spelling mistake must not pass as a wish left out: unknown fields are problems.
 * Throws `invalid_input`.
 */
export function parseExactly<S extends TObject>(schema: S, value: unknown, root: string[] = ["body"]): Static<S> {
  const known = Object.keys(schema.properties);
  const isMapping = typeof value === "object" && value !== null && !Array.isArray(value);
  const msg = `There is no such field; there are ${known.join(", ")}`;
  const problems = Object.keys(isMapping ? value : {})
    .filter((name) => !known.includes(name))
    .map((name) => ({ loc: [...root, name.slice(0, 100)], msg, type: "extra_forbidden" }));
  if (problems.length > 0) throw new ForecourtError("invalid_input", summarise(problems), { problems });
  return parse(schema, value, root);
}

/** Without the unknown fields that need not be copied to be dropped: nobody knows how many there are, and of what size. */
function onlyKnown({ properties, additionalProperties }: TObject, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  if (typeof additionalProperties === "object") return value;
  const known = Object.keys(properties).filter((name) => Object.hasOwn(value, name));
  return Object.fromEntries(known.map((name) => [name, Reflect.get(value, name)]));
}

const summarise = (problems: { loc: (string | number)[]; msg: string }[]) =>
  problems.map(({ loc, msg }) => `${loc.slice(1).join(".") || "body"}: ${msg}`).join("; ");

/**
 * TypeBox 0.34 fills an object into a list's default, and a list into an object's, as if they went together: `{}` would
 * pass as a list. What was given stands in its place again, for the check to refuse.
 */
function unmixed(before: unknown, after: unknown): unknown {
  if (typeof before !== "object" || before === null || typeof after !== "object" || after === null) return after;
  if (Array.isArray(before) !== Array.isArray(after)) return before;
  for (const name in after) {
    const inner = Reflect.get(after, name);
    if (typeof inner !== "object" || inner === null) continue; // most of a long list
    const kept = unmixed(Reflect.get(before, name), inner);
    if (kept !== inner) Reflect.set(after, name, kept);
  }
  return after;
}

/** At any depth; what has no fields of its own, such as a JSON Schema, is left as it is. */
function withoutNulls(schema: TSchema, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const branch = branchFor(schema, value);
  const properties: Record<string, TSchema> | undefined = branch?.properties;
  if (Array.isArray(value)) return branch?.items ? value.map((each) => withoutNulls(branch.items, each)) : value;
  if (branch === undefined || properties === undefined) return value;
  const kept = Object.entries(value).flatMap(([name, field]): [string, unknown][] => {
    const property = properties[name];
    if (field === null && property && !isRequired(branch, name) && !Value.Check(property, null)) return [];
    return field === undefined ? [] : [[name, property ? withoutNulls(property, field) : field]];
  });
  return Object.fromEntries(kept);
}

/** Of a union the branch for a list, or for an object that names its kind as this one does. */
function branchFor(schema: TSchema, value: object): TSchema | undefined {
  if (schema.anyOf === undefined) return schema;
  const branches: TSchema[] = schema.anyOf;
  return branches.find(({ type, properties = {} }) => {
    if (Array.isArray(value)) return type === "array";
    const names = Object.entries<TSchema>(properties).filter(([, property]) => property.const !== undefined);
    return type === "object" && names.every(([name, { const: kind }]) => Reflect.get(value, name) === kind);
  });
}

const isRequired = ({ required = [], properties }: TSchema, name: string) =>
  required.includes(name) && properties[name]?.default === undefined;
