// An ONNX file with other weights for some of its modules; the new ones lie in a file of their own beside it.
import { invariant } from "../../core/errors.ts";
import { encode, type Field, fieldsOf, lengthOf, message, textField } from "./protobuf.ts";
import {
  ENTRY,
  EXTERNAL,
  GRAPH,
  inputsOf,
  MODEL_GRAPH,
  type ModuleWeight,
  messageOf,
  NODE,
  TENSOR,
  WEIGHT_INPUT,
} from "./weights-of-modules.ts";

export type ModelFile = { fields: Field[]; graph: Field[] };

export function openModelFile(bytes: Uint8Array): ModelFile {
  const fields = fieldsOf(bytes);
  const graph = fields.find(({ number }) => number === MODEL_GRAPH);
  invariant(graph, "an ONNX file holds a graph");
  return { fields, graph: messageOf(graph) };
}

export type Replacement = { weight: ModuleWeight /** In the file of new weights. */; offset: number; length: number };

/**
 * The pieces of the changed file. Each node gets a weight of its own, so that others that share the replaced one keep it;
 * what nobody uses any more is left out.
 */
export function withReplaced(
  { fields, graph }: ModelFile,
  replacements: readonly Replacement[],
  location: string,
): Uint8Array[] {
  const changed = [...graph];
  const added: Field[] = [];
  for (const [at, { weight, ...place }] of replacements.entries()) {
    const name = `${location} ${at}`;
    const node = changed[weight.node];
    invariant(node, "a weight belongs to a node");
    changed[weight.node] = message(GRAPH.node, renamed(messageOf(node), name));
    added.push(message(GRAPH.initializer, tensor({ ...weight.initializer, name }, { ...place, location })));
  }
  const used = new Set(
    changed.filter(({ number }) => number === GRAPH.node).flatMap((node) => inputsOf(messageOf(node))),
  );
  const gone = new Set(replacements.map(({ weight }) => weight.initializer.name).filter((name) => !used.has(name)));
  const kept = changed.filter((field) => field.number !== GRAPH.initializer || !gone.has(nameOf(field)));
  const pieces = encode([...kept, ...added]);
  return fields.flatMap((field) => {
    if (field.number !== MODEL_GRAPH) return encode([field]);
    const [tag, length] = encode([{ ...field, value: EMPTY }]);
    invariant(tag && length, "an empty message has a tag and a length");
    return [tag, lengthPiece(lengthOf(pieces)), ...pieces];
  });
}

const EMPTY = new Uint8Array();

/** The length as `encode` writes it before bytes. */
function lengthPiece(length: number): Uint8Array {
  const [, piece] = encode([{ number: 1, wire: 0, value: length }]);
  invariant(piece, "a number is written after its tag");
  return piece;
}

function renamed(node: readonly Field[], name: string): Field[] {
  let input = 0;
  return node.map((field) => {
    if (field.number !== NODE.input) return field;
    return input++ === WEIGHT_INPUT ? textField(NODE.input, name) : field;
  });
}

function nameOf(initializer: Field): string {
  const field = messageOf(initializer).find(({ number }) => number === TENSOR.name);
  return typeof field?.value === "object" ? new TextDecoder().decode(field.value) : "";
}

type Place = { location: string; offset: number; length: number };

function tensor(
  { name, dims, dataType }: Pick<ModuleWeight["initializer"], "name" | "dims" | "dataType">,
  place: Place,
): Field[] {
  const entries = Object.entries(place).map(([key, value]) =>
    message(TENSOR.external, [textField(ENTRY.key, key), textField(ENTRY.value, String(value))]),
  );
  return [
    ...dims.map((value): Field => ({ number: TENSOR.dims, wire: 0, value })),
    { number: TENSOR.type, wire: 0, value: dataType },
    textField(TENSOR.name, name),
    ...entries,
    { number: TENSOR.location, wire: 0, value: EXTERNAL },
  ];
}
