// An endpoint's own words for its pipeline's inputs and outputs: schemas of them, and the translation there and back.
import { isDeepStrictEqual } from "node:util";
import { ForecourtError } from "../../core/errors.ts";
import type { TObject, TSchema } from "../../core/schema.ts";
import { choice, Type } from "../../core/schema.ts";
import {
  type EndpointDeclaration,
  type EndpointInput,
  type EndpointInputs,
  isAccepted,
  isNaming,
  type MeantInput,
} from "../../engine/endpoints/declaration.ts";
import { acceptedSchema, changedSchema, isOfNumbers } from "./endpoint-fields.ts";
import { wrong } from "./input-schema.ts";

type Fields = Record<string, unknown>;

/** All of it is pure. */
export type EndpointWords = {
  /** Of a checked input in the endpoint's words. Throws `invalid_input` for what would change the result elsewhere. */
  check(input: Fields): void;
  /** A checked input as the pipeline takes it. */
  toPipeline(input: Fields): Fields;
  /** The other way, for examples: what the endpoint has no field for is left out. */
  fromPipeline(input: Fields): Fields;
  /** The pipeline's output, or a part of it, as the endpoint's callers know it. */
  toCaller(output: unknown, input: Fields): unknown;
};

export type Worded = { input: TObject; output: TObject; frame?: TObject; words: EndpointWords };

type Native = { input: TObject; output: TObject; frame?: TObject };

/**
 * `native`: the schemas of the model under its own id. `modelNames`: what a field may call the model. Throws
 * `misconfigured` for fields that the pipeline has not, and for inputs it needs that no field stands for.
 */
export function wordsOf(declaration: EndpointDeclaration, native: Native, modelNames: readonly string[]): Worded {
  const { inputs = {}, fixed = {}, outputs } = declaration;
  const isOpen = declaration.open ?? Object.keys(inputs).length === 0;
  requireInputs([...targetsOf(inputs), ...Object.keys(fixed)], native.input);
  const input = requestSchema(inputs, { native: native.input, fixed, isOpen, modelNames });
  requireAll(native.input, { inputs, fixed, isOpen });
  const { frame } = native;
  // A message of a realtime connection has further fields of its own.
  const ownFrame = frame && requestSchema(inputs, { native: frame, fixed, isOpen: true, modelNames });
  const rest = isOpen ? {} : defaultsOf(native.input, new Set([...targetsOf(inputs), ...Object.keys(fixed)]));
  return {
    input,
    output: outputs ? answerSchema(outputs, { native: native.output, input }) : native.output,
    ...(ownFrame && { frame: ownFrame }),
    words: {
      check: (given) => refuse(given, inputs),
      toPipeline: (given) => ({ ...rest, ...translated(given, { inputs, native: native.input }), ...fixed }),
      fromPipeline: (given) => reworded(given, inputs, isOpen),
      toCaller: (output, given) => (outputs ? renamed(output, { outputs, given }) : output),
    },
  };
}

const isMeant = (input: EndpointInput): input is MeantInput => !isAccepted(input) && !isNaming(input);

const targetsOf = (inputs: EndpointInputs): string[] =>
  Object.entries(inputs).flatMap(([name, each]) => (isMeant(each) ? [each.input ?? name] : []));

function requireInputs(names: string[], { properties }: TObject): void {
  for (const name of names)
    if (!(name in properties))
      throw wrong(`${name} is not an input of this pipeline (${Object.keys(properties).join(", ")})`);
}

type Wording = { native: TObject; fixed: Fields; isOpen: boolean; modelNames: readonly string[] };

function requestSchema(inputs: EndpointInputs, { native, fixed, isOpen, modelNames }: Wording): TObject {
  const needed = new Set(native.required ?? []);
  const fields: [name: string, schema: TSchema, isNeeded: boolean][] = [];
  for (const [name, each] of Object.entries(inputs)) {
    const target = isMeant(each) ? native.properties[each.input ?? name] : undefined;
    if (isAccepted(each)) fields.push([name, acceptedSchema(name, each), false]);
    else if (isNaming(each)) fields.push([name, namesSchema(each, modelNames), each.required === true]);
    else if (target)
      fields.push([name, changedSchema(name, target, each), isNeeded(each, needed.has(each.input ?? name))]);
  }
  const taken = new Set([...targetsOf(inputs), ...Object.keys(inputs), ...Object.keys(fixed)]);
  const others = Object.entries(native.properties).filter(([name]) => isOpen && !taken.has(name));
  for (const [name, schema] of others) fields.push([name, schema, needed.has(name)]);
  const required = fields.flatMap(([name, , isNeeded]) => (isNeeded ? [name] : []));
  const { required: _, ...object } = Type.Object(Object.fromEntries(fields.map(([name, schema]) => [name, schema])));
  return { ...object, ...(required.length > 0 && { required }) } as TObject; // the spread keeps TypeBox's symbols
}

const isNeeded = (each: MeantInput, byPipeline: boolean) =>
  each.required === true || (byPipeline && each.default === undefined);

const namesSchema = ({ description }: { description?: string }, names: readonly string[]) =>
  choice(names, { description: description ?? "The model, which is this one." });

/** What the pipeline needs is said by a field, fixed, or has a default. */
function requireAll(
  native: TObject,
  { inputs, fixed, isOpen }: Pick<Wording, "fixed" | "isOpen"> & { inputs: EndpointInputs },
): void {
  const said = new Set([...targetsOf(inputs), ...Object.keys(fixed)]);
  const missing = (native.required ?? []).filter(
    (name) => !said.has(name) && native.properties[name]?.default === undefined,
  );
  if (!isOpen && missing.length > 0) throw wrong(`no field stands for ${missing.join(", ")}, which the pipeline needs`);
}

const defaultsOf = ({ properties }: TObject, except: ReadonlySet<string>): Fields =>
  Object.fromEntries(
    Object.entries(properties).flatMap(([name, schema]) =>
      schema.default === undefined || except.has(name) ? [] : [[name, schema.default]],
    ),
  );

function translated(given: Fields, { inputs, native }: { inputs: EndpointInputs } & { native: TObject }): Fields {
  const fields = Object.entries(given).flatMap(([name, value]) => {
    const each = inputs[name];
    if (!each) return [[name, value]];
    if (!isMeant(each)) return [];
    const target = each.input ?? name;
    const isNumber = typeof value === "string" && isOfNumbers(native.properties[target]);
    return [[target, isNumber ? Number(value) : value]];
  });
  return Object.fromEntries(fields);
}

function reworded(given: Fields, inputs: EndpointInputs, isOpen: boolean): Fields {
  const names = Object.entries(inputs).flatMap(([name, each]) => (isMeant(each) ? [[each.input ?? name, name]] : []));
  const known: Record<string, string> = Object.fromEntries(names);
  const fields = Object.entries(given).flatMap(([input, value]) => {
    const name = known[input] ?? (isOpen ? input : undefined);
    return name === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(fields);
}

function refuse(given: Fields, inputs: EndpointInputs): void {
  const problems = Object.entries(inputs).flatMap(([name, each]) => {
    const value = given[name];
    if (!isAccepted(each) || each.refusal === undefined || value === undefined) return [];
    return isDeepStrictEqual(value, each.default)
      ? []
      : [{ loc: ["body", name], msg: each.refusal, type: "value_error" }];
  });
  if (problems.length === 0) return;
  const message = problems.map(({ loc, msg }) => `${loc[1]}: ${msg}`).join("; ");
  throw new ForecourtError("invalid_input", message, { problems });
}

type Outputs = NonNullable<EndpointDeclaration["outputs"]>;

function answerSchema(outputs: Outputs, { native, input }: { native: TObject; input: TObject }): TObject {
  const fields = Object.entries(outputs).map(([name, { output = name, field, description }]) => {
    const schema = field === undefined ? native.properties[output] : input.properties[field];
    if (!schema)
      throw wrong(`outputs.${name}: there is no ${field === undefined ? `output ${output}` : `field ${field}`}`);
    return [name, description === undefined ? schema : { ...schema, description }] as const;
  });
  return Type.Object(Object.fromEntries(fields));
}

function renamed(output: unknown, { outputs, given }: { outputs: Outputs; given: Fields }): unknown {
  if (typeof output !== "object" || output === null) return output;
  const isPart = Object.entries(outputs).some(([name, { output: from = name }]) => from in output);
  // What comes meanwhile may be of a kind of its own: one sentence, not the whole sound.
  if (!isPart) return output;
  const fields = Object.entries(outputs).flatMap(([name, { output: from = name, field }]) => {
    const value = field === undefined ? Reflect.get(output, from) : given[field];
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(fields);
}
