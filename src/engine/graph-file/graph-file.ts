// Writes ONNX graph files: the small one that devices are tried with, and those of random weights that are measured.
import type { DType } from "../../core/tensor.ts";
import { bytes, float, integer, join, message, type Part, text } from "./protobuf.ts";

/** A text is the name of a dimension that is open. */
export type FileValue = { name: string; dtype: DType; shape: readonly (number | string)[] };

/** Content in the file itself, or in another one beside it. */
export type FileWeight = { name: string; dtype: DType; shape: readonly number[] } & (
  | { content: Uint8Array }
  | { external: { location: string; offset: number; length: number } }
);

/** A whole number becomes an `int`, a list one of `ints`; write `{ float: 1 }` for a float that is whole. */
export type FileAttribute = number | readonly number[] | { float: number };

export type FileNode = {
  op: string;
  /** Of an operator that is not ONNX's own: onnxruntime's are `com.microsoft`. */
  domain?: string;
  inputs: readonly string[];
  outputs: readonly string[];
  attributes?: Readonly<Record<string, FileAttribute>>;
};

export type GraphFile = {
  inputs: readonly FileValue[];
  outputs: readonly FileValue[];
  weights: readonly FileWeight[];
  /** Each after those whose outputs it takes. */
  nodes: readonly FileNode[];
};

/** Field numbers and types are those of onnx.proto (onnx/onnx, IR version 8); operators those of opset 17. */
const IR_VERSION = 8;
const OPSET = 17;
const DTYPES: Record<DType, number> = {
  ...{ float32: 1, uint8: 2, int8: 3, uint16: 4, int16: 5, int32: 6, int64: 7, bool: 9, float16: 10, float64: 11 },
};
const ATTRIBUTE = { float: 1, int: 2, ints: 7 };

export function encodeGraph({ inputs, outputs, weights, nodes }: GraphFile): Uint8Array {
  const graph = [
    ...nodes.map((node) => message(1, nodePart(node))),
    text(2, "graph"),
    ...weights.map((weight) => message(5, weightPart(weight))),
    ...inputs.map((value) => message(11, valuePart(value))),
    ...outputs.map((value) => message(12, valuePart(value))),
  ];
  return join([
    integer(1, IR_VERSION),
    text(2, "forecourt"),
    message(7, graph),
    message(8, text(1, ""), integer(2, OPSET)),
    ...domainsOf(nodes).map((domain) => message(8, text(1, domain), integer(2, 1))),
  ]);
}

const domainsOf = (nodes: readonly FileNode[]) => [...new Set(nodes.flatMap(({ domain }) => domain ?? []))];

const nodePart = ({ op, domain, inputs, outputs, attributes = {} }: FileNode): Part => [
  ...inputs.map((name) => text(1, name)),
  ...outputs.map((name) => text(2, name)),
  text(3, outputs[0] ?? op),
  text(4, op),
  ...Object.entries(attributes).map(([name, value]) => message(5, text(1, name), attributePart(value))),
  ...(domain === undefined ? [] : [text(7, domain)]),
];

function attributePart(value: FileAttribute): Part {
  if (typeof value === "number") {
    return Number.isInteger(value)
      ? [integer(3, value), integer(20, ATTRIBUTE.int)]
      : [float(2, value), integer(20, ATTRIBUTE.float)];
  }
  if ("float" in value) return [float(2, value.float), integer(20, ATTRIBUTE.float)];
  return [...value.map((each) => integer(8, each)), integer(20, ATTRIBUTE.ints)];
}

const valuePart = ({ name, dtype, shape }: FileValue): Part => [
  text(1, name),
  message(2, message(1, integer(1, DTYPES[dtype]), message(2, ...shape.map((size) => message(1, dimension(size)))))),
];

const dimension = (size: number | string) => (typeof size === "number" ? integer(1, size) : text(2, size));

const weightPart = (weight: FileWeight): Part => [
  ...weight.shape.map((size) => integer(1, size)),
  integer(2, DTYPES[weight.dtype]),
  text(8, weight.name),
  ...("content" in weight ? [bytes(9, weight.content)] : externalParts(weight.external)),
];

function externalParts({ location, offset, length }: { location: string; offset: number; length: number }): Part[] {
  const entry = (key: string, value: string) => message(13, text(1, key), text(2, value));
  const DATA_LOCATION_EXTERNAL = 1;
  return [
    entry("location", location),
    entry("offset", String(offset)),
    entry("length", String(length)),
    integer(14, DATA_LOCATION_EXTERNAL),
  ];
}
