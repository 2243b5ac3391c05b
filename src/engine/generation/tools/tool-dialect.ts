// How a family of models writes its calls of tools, told from its chat template.
import { choice, literal, type Node, repeat, sequence } from "../constraint/grammar.ts";
import * as json from "../constraint/json-grammar.ts";

export type ToolDialect = {
  /** What begins a call; nothing of it is shown. */
  marks: readonly string[];
  /** Several may follow each other: each has its end. */
  isSeveral: boolean;
  /** One call, for answers that must be one. */
  call(name: string, parameters: Node): Node;
};

const quotedName = (name: string) => literal(JSON.stringify(name));

/** `{"name": ..., "<field>": {...}}` */
const bare =
  (field: string) =>
  (name: string, parameters: Node): Node =>
    sequence(literal('{"name": '), quotedName(name), literal(`, "${field}": `), parameters, literal("}"));

/** Marks of all families: a model may have learnt another's. */
const MARKS = ["<tool_call>", "[TOOL_CALLS]", "<|python_tag|>", "<|tool_call|>", "<function_call>"];

const hermes: ToolDialect = {
  marks: MARKS,
  isSeveral: true,
  call: (name, parameters) =>
    sequence(literal("<tool_call>\n"), bare("arguments")(name, parameters), literal("\n</tool_call>")),
};
const llama: ToolDialect = { marks: MARKS, isSeveral: false, call: bare("parameters") };
const generic: ToolDialect = { marks: MARKS, isSeveral: false, call: bare("arguments") };

/** Hermes and Qwen name `<tool_call>`, Llama 3 its headers; Mistral and others write a name and its arguments in JSON. */
export function dialectOf(template: string | undefined): ToolDialect {
  if (template?.includes("<tool_call>")) return hermes;
  if (template?.includes("<|start_header_id|>")) return llama;
  return generic;
}

/** One of these calls, or several one after the other. */
export const callsOf = (calls: readonly Node[], { isSeveral }: { isSeveral: boolean }): Node => {
  const one = choice(...calls);
  return isSeveral ? sequence(one, repeat(sequence(json.blank, one), 0, 7)) : one;
};
