// What a kind of input or output of the generic pipeline is: a declaration in the model file, the API's fields that
// follow from it, and the code between these and the graph's tensors.
import type { Assets, Graph, Pixels, Task } from "../../core/pipeline.ts";
import { type Static, type TObject, type TSchema, Type } from "../../core/schema.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Picture } from "../media/picture.ts";
import type { View } from "./view.ts";

export type Tensors = Record<string, Tensor>;
export type Fields = Record<string, TSchema>;

/** What one input became: what the graph is fed at each step, and what the outputs must know of it. */
export type Encoded = {
  /** How often the graph runs for it: windows of sound, tiles of a picture; else 1. */
  steps: number;
  feeds(step: number): Tensors;
  view?: View;
  /** Seconds between two steps. */
  hopSeconds?: number;
  /** 1 for each token that counts. */
  tokens?: readonly number[];
};

export type InputKind<Declared extends TObject> = {
  /** One entry of `onnx.inputs`; has a literal `kind`. */
  declared: Declared;
  /** The field of the API. */
  field(declared: Static<Declared>): TSchema;
  open(
    declared: Static<Declared>,
    place: InputPlace,
  ): Promise<(value: unknown, task: Task<unknown>, signal: AbortSignal) => Promise<Encoded>>;
};

/** Where an input stands: its name in the API, and the graph and files that it is for. */
export type InputPlace = { name: string; graph: Graph; assets: Assets };

/** What the outputs are made of. */
export type Outcome = Omit<Encoded, "steps" | "feeds"> & {
  /** The graph's outputs at each step. */
  results: readonly Tensors[];
  /** The request, checked. */
  options: Readonly<Record<string, unknown>>;
  savePicture(pixels: Pixels, name: string): Promise<Picture>;
};

export type OutputKind<Declared extends TObject> = {
  /** One entry of `onnx.outputs`; has a literal `kind`. */
  declared: Declared;
  /** Has pictures in its answer, so that the API has a field for their format. */
  hasPictures?: boolean;
  /** Has places in a picture, which the graph must have seen whole. */
  seesWhole?: boolean;
  /** Fields of the answer. */
  fields(name: string, declared: Static<Declared>): Fields;
  /** Further fields of the request. */
  options?(declared: Static<Declared>): Fields;
  /** Throws `invalid_input` for a picture that would become too large, which the first of its tiles tells. */
  expectSize?(declared: Static<Declared>, begun: Begun): void;
  open(declared: Static<Declared>, place: OutputPlace): Promise<(outcome: Outcome) => Promise<Record<string, unknown>>>;
};

/** `name` of the output, `field` of the input whose tiles they are. */
export type Begun = Pick<OutputPlace, "name" | "graph"> & {
  first: Tensors;
  view: Extract<View, { by: "tiles" }>;
  field: string;
};

export type OutputPlace = { name: string; graph: Graph; assets: Assets };

export const defineInput = <Declared extends TObject>(kind: InputKind<Declared>) => kind;
export const defineOutput = <Declared extends TObject>(kind: OutputKind<Declared>) => kind;

/** A declaration in a model file: misspelt fields are refused. */
export const declare = <const Kind extends string, Rest extends Record<string, TSchema>>(kind: Kind, rest: Rest) =>
  Type.Object({ kind: Type.Literal(kind), ...rest }, { additionalProperties: false });

export const tensorName = Type.Optional(
  Type.String({ description: "The graph's name for it; absent: its only one (of those that nothing else names)" }),
);
