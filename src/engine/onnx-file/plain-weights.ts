// Whether a graph's weights are numbers of single precision in a file beside it, with nothing that needs them otherwise.
import { fieldsOf, textOf } from "./protobuf.ts";
import { GRAPH, initializerOf, MODEL_GRAPH, messageOf, NODE } from "./weights-of-modules.ts";

const FLOAT32 = 1;
const DOMAIN = 7;
/** Integers that are multiplied unpacked are many times slower, and graphs within a graph are not looked into. */
const OTHERS = /^(.*Integer|QLinear.*|If|Loop|Scan|LSTM|GRU|RNN)$/;

/**
 * `least`: bytes of such weights. False for graphs with operators of onnxruntime's own, which compute with four or eight
 * bits, and for what is no graph.
 */
export function hasPlainWeightsBeside(file: Uint8Array, least: number): boolean {
  const model = fieldsOf(file).find(({ number, value }) => number === MODEL_GRAPH && typeof value !== "number");
  let beside = 0;
  for (const field of model ? messageOf(model) : []) {
    if (field.number === GRAPH.node && isOther(messageOf(field))) return false;
    if (field.number !== GRAPH.initializer) continue;
    const { dataType, dims, content } = initializerOf(messageOf(field));
    if (!("location" in content)) continue;
    if (dataType === FLOAT32) beside += content.length ?? 4 * dims.reduce((product, each) => product * each, 1);
  }
  return beside >= least;
}

function isOther(node: ReturnType<typeof messageOf>): boolean {
  const text = (wanted: number) => node.filter(({ number }) => number === wanted).map(textOf)[0] ?? "";
  return !["", "ai.onnx"].includes(text(DOMAIN)) || OTHERS.test(text(NODE.type));
}
