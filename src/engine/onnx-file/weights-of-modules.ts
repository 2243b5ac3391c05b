// Which weights of an ONNX graph belong to which module of the PyTorch model that it was exported from.
import { type Field, fieldsOf, textOf } from "./protobuf.ts";

/** A tensor that the graph carries or refers to. */
export type Initializer = {
  name: string;
  dims: readonly number[];
  /** onnx.TensorProto.DataType: 1 = float32, 10 = float16... */
  dataType: number;
  /** Inside the graph's file, else in another one beside it. */
  content: { bytes: Uint8Array } | { location: string; offset: number; length: number | undefined };
};

export type ModuleWeight = {
  /** Place among the graph's fields of the node that uses it, and among the node's inputs. */
  node: number;
  initializer: Initializer;
  /** [in, out] where the module's own weight is [out, in]. */
  isTransposed: boolean;
};

/** Numbers of fields in onnx.proto. */
export const MODEL_GRAPH = 7;
export const GRAPH = { node: 1, initializer: 5 };
export const NODE = { input: 1, output: 2, name: 3, type: 4, attribute: 5 };
export const TENSOR = { dims: 1, type: 2, name: 8, raw: 9, external: 13, location: 14 };
export const ENTRY = { key: 1, value: 2 };
const ATTRIBUTE = { name: 1, integer: 3 };
export const EXTERNAL = 1;

/** The second input of these is the weight of a Linear or convolution. */
const WEIGHTED = new Set(["MatMul", "Gemm", "Conv"]);
export const WEIGHT_INPUT = 1;

/** How a module is called in this table: "down_blocks_0_attentions_0..." whatever its file writes between the parts. */
export const moduleKey = (path: string) => path.replaceAll(/[./]/g, "_");

/** By `moduleKey`. The exporter names nodes by their modules: /down_blocks.0/attentions.0/proj_in/MatMul. */
export function weightsOfModules(graph: readonly Field[]): Map<string, ModuleWeight> {
  const initializers = new Map<string, Initializer>();
  for (const field of graph) {
    if (field.number !== GRAPH.initializer) continue;
    const initializer = initializerOf(messageOf(field));
    initializers.set(initializer.name, initializer);
  }
  const nodes = graph.flatMap((field, at) => (field.number === GRAPH.node ? [{ at, fields: messageOf(field) }] : []));
  // Equal tensors are stored once, and the other name is an Identity of it.
  for (const { fields } of nodes) {
    if (textIn(fields, NODE.type) !== "Identity") continue;
    const same = initializers.get(textIn(fields, NODE.input) ?? "");
    if (same) initializers.set(textIn(fields, NODE.output) ?? "", same);
  }
  const weights = new Map<string, ModuleWeight>();
  for (const { at, fields } of nodes) {
    const type = textIn(fields, NODE.type) ?? "";
    const initializer = initializers.get(inputsOf(fields)[WEIGHT_INPUT] ?? "");
    if (!initializer || !WEIGHTED.has(type)) continue;
    const path = (textIn(fields, NODE.name) ?? "").split("/").filter((part) => part !== "");
    const isTransposed = type === "MatMul" || (type === "Gemm" && !isGemmOfRows(fields));
    weights.set(moduleKey(path.slice(0, -1).join("/")), { node: at, initializer, isTransposed });
  }
  return weights;
}

/**
 * The weight of a module by its key. Exporters may put the model inside of another module; and transformers 5 has no
 * `text_model` any more around CLIP's text encoder, which names made before it carry.
 */
export function findWeight(weights: ReadonlyMap<string, ModuleWeight>, key: string): ModuleWeight | undefined {
  const exact = weights.get(key);
  if (exact) return exact;
  const all = [...weights.keys()];
  const ending = all.filter((each) => each.endsWith(`_${key}`));
  // FLUX has transformer_blocks and single_transformer_blocks: what is around the model is around all of it.
  const isAround = (each: string) => all.every((other) => other.startsWith(each.slice(0, -key.length)));
  const inside = ending.length > 1 ? ending.filter(isAround) : ending;
  const [only] = inside;
  if (only !== undefined && inside.length === 1) return weights.get(only);
  const bare = key.replace(/^text_model_/, "");
  return bare === key ? undefined : findWeight(weights, bare);
}

export const messageOf = ({ value }: Field) => (typeof value === "number" ? [] : fieldsOf(value));

export const inputsOf = (node: readonly Field[]) => node.filter(({ number }) => number === NODE.input).map(textOf);

function textIn(fields: readonly Field[], wanted: number): string | undefined {
  const field = fields.find(({ number }) => number === wanted);
  return field && textOf(field);
}

/** transB = 1: the weight is [out, in]. */
const isGemmOfRows = (node: readonly Field[]) =>
  node.some((field) => {
    if (field.number !== NODE.attribute) return false;
    const attribute = messageOf(field);
    const isSet = attribute.find(({ number }) => number === ATTRIBUTE.integer)?.value === 1;
    return isSet && textIn(attribute, ATTRIBUTE.name) === "transB";
  });

export function initializerOf(fields: readonly Field[]): Initializer {
  const dims = fields.filter(({ number }) => number === TENSOR.dims).flatMap(({ value }) => packed(value));
  const dataType = Number(fields.find(({ number }) => number === TENSOR.type)?.value ?? 0);
  const raw = fields.find(({ number }) => number === TENSOR.raw)?.value;
  return { name: textIn(fields, TENSOR.name) ?? "", dims, dataType, content: contentOf(fields, raw) };
}

function contentOf(fields: readonly Field[], raw: Field["value"] | undefined): Initializer["content"] {
  const isOutside = fields.some(({ number, value }) => number === TENSOR.location && value === EXTERNAL);
  if (!isOutside) return { bytes: typeof raw === "object" ? raw : new Uint8Array() };
  const entries = fields
    .filter(({ number }) => number === TENSOR.external)
    .map(messageOf)
    .map((entry): [string, string] => [textIn(entry, ENTRY.key) ?? "", textIn(entry, ENTRY.value) ?? ""]);
  const { location = "", offset = "0", length } = Object.fromEntries(entries);
  return { location, offset: Number(offset), length: length === undefined ? undefined : Number(length) };
}

/** Repeated numbers come one by one, or several in one field. */
function packed(value: Field["value"]): number[] {
  if (typeof value === "number") return [value];
  const numbers: number[] = [];
  let [number, factor] = [0, 1];
  for (const byte of value) {
    number += (byte & 0x7f) * factor;
    factor *= 0x80;
    if (byte >= 0x80) continue;
    numbers.push(number);
    [number, factor] = [0, 1];
  }
  return numbers;
}
