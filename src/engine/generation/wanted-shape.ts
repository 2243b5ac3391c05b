// What an answer must look like by the request: any text, JSON, JSON of a schema, or calls of tools.
import type { ChatInput } from "./chat-fields.ts";
import type { Constraint, Constraints } from "./constraint/constraint.ts";
import type { Node } from "./constraint/grammar.ts";
import * as json from "./constraint/json-grammar.ts";
import { schemaGrammar } from "./constraint/schema-grammar.ts";
import type { Schema } from "./constraint/whole-schema.ts";
import { wrong } from "./conversation.ts";
import { callsOf, type ToolDialect } from "./tools/tool-dialect.ts";

type Shape = { key: string; grammar: Node; loose: readonly string[] };

export type Around = {
  constraints: Constraints;
  dialect: ToolDialect;
  /** What the caller is to know. */
  log(message: string): void;
};

/** Undefined: any text. Throws `invalid_input` for schemas that cannot be kept to and for tools that there are not. */
export function constraintOf(input: ChatInput, { constraints, dialect, log }: Around): Constraint | undefined {
  const shape = input.raw ? formatOf(input) : (toolsOf(input, dialect) ?? formatOf(input));
  if (!shape) return undefined;
  if (shape.loose.length > 0) log(`the JSON schema is kept to, but for: ${shape.loose.join(", ")}`);
  return constraints.begin(shape.key, () => shape.grammar);
}

function formatOf({ response_format: format }: ChatInput): Shape | undefined {
  if (!format || format.type === "text") return undefined;
  const field = ["response_format", "json_schema", "schema"];
  const schema = format.type === "json_schema" ? format.json_schema.schema : undefined;
  if (!schema) return { key: "json", grammar: json.object, loose: [] };
  return { key: JSON.stringify(schema), ...schemaGrammar(schema, field) };
}

function toolsOf(input: ChatInput, dialect: ToolDialect): Shape | undefined {
  const { tools = [], tool_choice: asked = "auto", parallel_tool_calls: mayBeSeveral } = input;
  if (asked === "auto" || asked === "none") return undefined;
  const name = asked === "required" ? undefined : asked.function.name;
  const wanted = tools.filter((tool) => name === undefined || tool.function.name === name);
  if (wanted.length === 0) {
    const msg = name === undefined ? "A call is required, but there are no tools" : `There is no tool "${name}"`;
    throw wrong(["tool_choice"], msg, "value_error");
  }
  const loose = new Set<string>();
  const calls = wanted.map(({ function: { name: of, parameters } }) => {
    const at = tools.findIndex((tool) => tool.function.name === of);
    const made = argumentsOf(parameters, ["tools", String(at), "function", "parameters"]);
    for (const keyword of made.loose) loose.add(keyword);
    return dialect.call(of, made.grammar);
  });
  const isSeveral = dialect.isSeveral && mayBeSeveral && name === undefined;
  const grammar = callsOf(calls, { isSeveral });
  const key = JSON.stringify(["tools", isSeveral, name, wanted]);
  return { key, grammar, loose: [...loose] };
}

const argumentsOf = (parameters: Schema | undefined, field: string[]) =>
  parameters ? schemaGrammar({ type: "object", ...parameters }, field) : { grammar: json.object, loose: [] };
