// What is wrong with a value, field by field, in the words of fal's error list (fal-protocol.md 8.2) and pydantic.
import type { TSchema } from "@sinclair/typebox";
import { ValueErrorType as Kind, Value, type ValueError } from "@sinclair/typebox/value";
import type { FieldProblem } from "./errors.ts";

type Verdict = Pick<FieldProblem, "type" | "msg" | "ctx">;

/** At most this many characters of a wrong value are repeated in the answer. */
const INPUT_ECHO = 200;

/** Of a long list in which all is wrong nobody reads more, and each costs time. */
const MOST = 500;
const someOf = <T>(all: Iterable<T>): T[] => Iterator.from(all).take(MOST).toArray();

/** The first problem of every wrong field, of many wrong fields those that come first; empty when the value fits. */
export function fieldProblems(schema: TSchema, value: unknown, root: string[]): FieldProblem[] {
  const byPath = new Map<string, FieldProblem>();
  const every = someOf(Value.Errors(schema, value)).flatMap(explain).slice(0, MOST);
  // Where nothing fits a branch of a union no defaults are filled in: what may be left out is not what is wrong.
  const given = every.filter(({ mayBeLeftOut }) => !mayBeLeftOut);
  const explained = given.length > 0 ? given : every;
  // What is of another kind need not have this one's fields.
  const others = new Set(explained.flatMap(({ path, isOtherKind }) => (isOtherKind ? [parentOf(path)] : [])));
  for (const { path, verdict, input } of explained) {
    if (byPath.has(path) || (input === undefined && others.has(parentOf(path)))) continue;
    byPath.set(path, {
      loc: [...root, ...locOf(path)],
      ...verdict,
      ...(input !== undefined && { input: echo(input) }),
    });
  }
  return [...byPath.values()];
}

const parentOf = (path: string) => path.slice(0, path.lastIndexOf("/"));

/** `isOtherKind`: the value at this path names its object otherwise than the schema does. */
type Explained = { path: string; verdict: Verdict; input: unknown; isOtherKind?: boolean; mayBeLeftOut?: boolean };

/** A union's error is that of the branch which the value resembles (same JSON type, same name), else of the union. */
function explain(error: ValueError): Explained[] {
  if (error.type === Kind.Union) {
    const branches = error.errors
      .map(someOf)
      .filter((errors) => errors.length > 0 && !errors.some((each) => each.path === error.path && isOfOtherType(each)));
    const names = branches.map(wrongName);
    const [first, ...others] = names;
    if (first && others.length > 0 && others.every((each) => each?.path === first.path))
      return [ofNoBranch(first.path, names)];
    const [branch] = likeliest(branches, error);
    if (branch) return branch.flatMap(explain);
  }
  const isOtherKind = error.type === Kind.Literal && typeof error.value === "string";
  const mayBeLeftOut = error.value === undefined && error.schema.default !== undefined;
  return [{ path: error.path, verdict: verdictOf(error), input: error.value, isOtherKind, mayBeLeftOut }];
}

/** Branches that name themselves (`kind: image`) are left out where the value names another; then the nearest is first. */
function likeliest(branches: ValueError[][], { schema, path }: ValueError): ValueError[][] {
  const options: TSchema[] = schema.anyOf ?? [];
  const names = options.flatMap(({ properties = {} }) =>
    Object.keys(properties).filter((name) => properties[name].const !== undefined),
  );
  const paths = new Set(names.map((name) => `${path}/${name}`));
  const named = branches.filter((errors) => !errors.some((each) => paths.has(each.path) && isName(each)));
  return (named.length > 0 ? named : branches).toSorted((a, b) => strangers(a) - strangers(b) || a.length - b.length);
}

/** Fields of the value that the branch does not have: the branch that was meant has most of them. */
const strangers = (errors: ValueError[]) =>
  errors.filter(({ type }) => type === Kind.ObjectAdditionalProperties).length;

const isName = ({ type }: ValueError) => type === Kind.Literal || type === Kind.Kind;
/** Of a branch that the value names otherwise. */
const wrongName = (errors: ValueError[]) => errors.find((each) => isName(each) && typeof each.value === "string");

function ofNoBranch(path: string, names: readonly (ValueError | undefined)[]): Explained {
  const expected = names.flatMap((each) => (each ? (each.schema.enum ?? [each.schema.const]) : []));
  return { path, verdict: oneOf(expected), input: names[0]?.value };
}

/** A choice among strings complains of an object as it does of a wrong string. */
const isOfOtherType = ({ type, schema, value }: ValueError) =>
  TYPE_NAMES[type] !== undefined || type === Kind.Null || (schema.type === "string" && typeof value !== "string");

function verdictOf({ type, schema, message }: ValueError): Verdict {
  const typeName = TYPE_NAMES[type];
  if (typeName) return { type: `${typeName}_type`, msg: `Input should be a valid ${TYPE_WORDS[typeName]}` };
  switch (type) {
    case Kind.ObjectRequiredProperty:
      return { type: "missing", msg: "Field required" };
    case Kind.IntegerMinimum:
    case Kind.NumberMinimum:
      return bound("greater_than_equal", "greater than or equal to", "ge", schema.minimum);
    case Kind.IntegerMaximum:
    case Kind.NumberMaximum:
      return bound("less_than_equal", "less than or equal to", "le", schema.maximum);
    case Kind.IntegerExclusiveMinimum:
    case Kind.NumberExclusiveMinimum:
      return bound("greater_than", "greater than", "gt", schema.exclusiveMinimum);
    case Kind.IntegerExclusiveMaximum:
    case Kind.NumberExclusiveMaximum:
      return bound("less_than", "less than", "lt", schema.exclusiveMaximum);
    case Kind.IntegerMultipleOf:
    case Kind.NumberMultipleOf:
      return bound("multiple_of", "a multiple of", "multiple_of", schema.multipleOf);
    case Kind.StringMinLength:
    case Kind.ArrayMinItems:
      return short(schema.minLength ?? schema.minItems);
    case Kind.StringMaxLength:
    case Kind.ArrayMaxItems:
      return long(schema.maxLength ?? schema.maxItems);
    case Kind.Union:
      return ofUnion(schema.anyOf ?? []);
    case Kind.Kind:
    case Kind.Literal:
      return oneOf(schema.enum ?? [schema.const]);
    case Kind.StringPattern:
    case Kind.StringFormat:
      // Few people read patterns: a schema may say in words what it wants.
      return { type: "value_error", msg: schema.expected ? `Input should be ${schema.expected}` : message };
    case Kind.Null:
      // Such a field is there to say that there is nothing of the kind.
      return { type: "value_error", msg: schema.description ?? message };
    default:
      return { type: "value_error", msg: message };
  }
}

const bound = (type: string, words: string, key: string, value: unknown): Verdict => ({
  type,
  msg: `Input should be ${words} ${value}`,
  ctx: { [key]: value },
});
const short = (min: unknown): Verdict => ({
  type: "sequence_too_short",
  msg: `Input should have at least ${min} characters or items`,
  ctx: { min_length: min },
});
const long = (max: unknown): Verdict => ({
  type: "sequence_too_long",
  msg: `Input should have at most ${max} characters or items`,
  ctx: { max_length: max },
});
const oneOf = (expected: unknown[] = []): Verdict => ({
  type: "one_of",
  msg: `Input should be one of ${expected.map((each) => JSON.stringify(each)).join(", ")}`,
  ctx: { expected },
});

function ofUnion(options: TSchema[]): Verdict {
  if (options.length > 0 && options.every((each) => each.type === "object"))
    return { type: "dict_type", msg: `Input should be a valid ${TYPE_WORDS.dict}` };
  return oneOf(options.flatMap((each) => each.enum ?? each.const ?? each.type ?? []));
}

type TypeName = "int" | "float" | "string" | "bool" | "list" | "dict";
const TYPE_NAMES: Partial<Record<Kind, TypeName>> = {
  [Kind.Integer]: "int",
  [Kind.Number]: "float",
  [Kind.String]: "string",
  [Kind.Boolean]: "bool",
  [Kind.Array]: "list",
  [Kind.Object]: "dict",
};
const TYPE_WORDS: Record<TypeName, string> = {
  int: "integer",
  float: "number",
  string: "string",
  bool: "boolean",
  list: "list",
  dict: "dictionary",
};

const locOf = (path: string) =>
  path
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));

function echo(input: unknown): unknown {
  if (typeof input === "number" && !Number.isFinite(input)) return String(input);
  if (roomLeft(input, MOST_ECHOED) < 0) return describe(input);
  const text = typeof input === "string" ? input : JSON.stringify(input);
  if (text === undefined || text.length <= INPUT_ECHO) return input;
  return `${text.slice(0, INPUT_ECHO)}... (${text.length} characters)`;
}

/** What has more characters and values than this is not written out to be cut. */
const MOST_ECHOED = 10_000;

/** Negative as soon as there is more in it. */
function roomLeft(value: unknown, room: number): number {
  if (typeof value === "string") return room - value.length;
  if (typeof value !== "object" || value === null) return room - 1;
  let left = room - 1;
  for (const name in value) {
    left = roomLeft(Reflect.get(value, name), left - 1);
    if (left < 0) break;
  }
  return left;
}

function describe(input: unknown): string {
  if (typeof input === "string") return `${input.slice(0, INPUT_ECHO)}... (${input.length} characters)`;
  if (Array.isArray(input)) return `a list of ${input.length} values`;
  return `an object of ${Object.keys(input as object).length} fields`; // all others have room
}
