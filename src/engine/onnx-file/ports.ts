// What an ONNX file says it takes and gives, without onnxruntime.
import { ForecourtError } from "../../core/errors.ts";
import { type Field, fieldsOf, textOf } from "./protobuf.ts";
import { GRAPH, MODEL_GRAPH, messageOf, TENSOR } from "./weights-of-modules.ts";

export type FilePort = {
  name: string;
  /** onnx.TensorProto.DataType; undefined for what is no tensor. */
  dataType: number | undefined;
};

/** Numbers of fields in onnx.proto. */
const SIDES = { inputs: 11, outputs: 12 };
const VALUE = { name: 1, type: 2 };
const TYPE = { tensor: 1 };
const TENSOR_TYPE = { element: 1 };

/** Inputs that have a value of their own in the file are left out. Throws `weights_missing` for what is no ONNX file. */
export function portsOf(file: Uint8Array): { inputs: FilePort[]; outputs: FilePort[] } {
  const model = fieldsOf(file).find(({ number, value }) => number === MODEL_GRAPH && typeof value !== "number");
  if (!model) throw new ForecourtError("weights_missing", "the graph's file is cut off or not an ONNX file");
  const graph = messageOf(model);
  const own = new Set(
    graph.flatMap((field) => (field.number === GRAPH.initializer ? [textIn(messageOf(field), TENSOR.name)] : [])),
  );
  const side = (wanted: number) =>
    graph.flatMap((field) => (field.number === wanted ? [portOf(messageOf(field))] : []));
  return { inputs: side(SIDES.inputs).filter(({ name }) => !own.has(name)), outputs: side(SIDES.outputs) };
}

function portOf(value: readonly Field[]): FilePort {
  const type = value.find(({ number }) => number === VALUE.type);
  const tensor = type && messageOf(type).find(({ number }) => number === TYPE.tensor);
  const element = tensor && messageOf(tensor).find(({ number }) => number === TENSOR_TYPE.element);
  return { name: textIn(value, VALUE.name), dataType: typeof element?.value === "number" ? element.value : undefined };
}

function textIn(fields: readonly Field[], number: number): string {
  const field = fields.find((each) => each.number === number);
  return field ? textOf(field) : "";
}
