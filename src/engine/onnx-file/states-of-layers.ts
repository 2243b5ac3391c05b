// Makes a transformer's graph give what its layers pass on, which exports of text encoders often keep to themselves.
import { type Field, message, textField, textOf } from "./protobuf.ts";
import type { ModelFile } from "./replace-weights.ts";
import { GRAPH, inputsOf, messageOf, NODE } from "./weights-of-modules.ts";

const OUTPUT = 12;
const VALUE_NAME = 1;
const ANSWER = "last_hidden_state";

/**
 * With outputs `hidden_states.0` (what goes into the first layer), `.1`... to what comes out of the last one, before the
 * final norm. Undefined where the graph is not of layers with a norm before each of their two halves, as CLIP's.
 */
export function withStatesOfLayers({ fields, graph }: ModelFile): ModelFile | undefined {
  const like = graph.find((field) => field.number === OUTPUT && nameOf(field) === ANSWER);
  const normed = inputsOfNorms(graph);
  // Two in each layer and one at the end.
  if (!like || normed.length < 3 || normed.length % 2 === 0) return undefined;
  const states = normed.filter((_, at) => at % 2 === 0);
  const added = states.flatMap((tensor, at) => {
    const name = `hidden_states.${at}`;
    const node = [textField(NODE.input, tensor), textField(NODE.output, name), textField(NODE.type, "Identity")];
    return [message(GRAPH.node, node), message(OUTPUT, renamed(messageOf(like), name))];
  });
  return { fields, graph: [...graph, ...added] };
}

/** In the graph's order: of the operator, or of its parts, where older exports begin a norm with a mean that is taken away. */
function inputsOfNorms(graph: readonly Field[]): string[] {
  const nodes = graph.filter(({ number }) => number === GRAPH.node).map(messageOf);
  const means = new Map<string, string>();
  return nodes.flatMap((node) => {
    const type = node.find(({ number }) => number === NODE.type);
    const output = node.find(({ number }) => number === NODE.output);
    const [first = "", second = ""] = inputsOf(node);
    switch (type && textOf(type)) {
      case "LayerNormalization":
        return [first];
      case "ReduceMean":
        if (output) means.set(textOf(output), first);
        return [];
      case "Sub":
        return means.get(second) === first ? [first] : [];
      default:
        return [];
    }
  });
}

const nameOf = (value: Field) => {
  const name = messageOf(value).find(({ number }) => number === VALUE_NAME);
  return name && textOf(name);
};

const renamed = (value: readonly Field[], name: string) =>
  value.map((field) => (field.number === VALUE_NAME ? textField(VALUE_NAME, name) : field));
