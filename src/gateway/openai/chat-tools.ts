// Tools of a chat as OpenAI's clients write them, and functions, which tools have replaced, translated to a language model's.
import { choice, type Static, Type } from "../../core/schema.ts";
import type { ChatInput } from "../../engine/generation/chat-fields.ts";
import { nullable, present } from "./nullable.ts";

/** What every way to describe a function has. */
export const functionFields = {
  name: Type.String({ pattern: "^[\\w-]{1,64}$" }),
  description: nullable(Type.String()),
  parameters: nullable(Type.Record(Type.String(), Type.Unknown(), { description: "JSON Schema" })),
};
const strict = nullable(Type.Boolean());

const named = Type.Object({
  type: Type.Literal("function"),
  function: Type.Object({ name: Type.String() }),
});
export const MODES = ["none", "auto", "required"] as const;

export const toolFields = {
  tools: Type.Optional(
    Type.Array(Type.Object({ type: Type.Literal("function"), function: Type.Object({ ...functionFields, strict }) }), {
      maxItems: 128,
      description: "Functions of the caller's; tools that OpenAI runs itself are not here",
    }),
  ),
  tool_choice: Type.Optional(
    Type.Union([
      choice(MODES),
      named,
      Type.Object({
        type: Type.Literal("allowed_tools"),
        allowed_tools: Type.Object({ mode: choice(["auto", "required"]), tools: Type.Array(named, { minItems: 1 }) }),
      }),
    ]),
  ),
  functions: Type.Optional(
    Type.Array(Type.Object(functionFields), { minItems: 1, maxItems: 128, description: "An older form of `tools`" }),
  ),
  function_call: Type.Optional(
    Type.Union([choice(["none", "auto"]), Type.Object({ name: Type.String() })], {
      description: "An older form of `tool_choice`",
    }),
  ),
};

const body = Type.Object(toolFields);
type ToolFields = Static<typeof body>;
type Tool = NonNullable<ChatInput["tools"]>[number];
type Asked = Pick<ChatInput, "tools" | "tool_choice">;

/** The answer calls one function, and not tools. */
export const asksForFunctions = ({ tools = [], functions = [] }: ToolFields) =>
  tools.length === 0 && functions.length > 0;

export function toolsOf(given: ToolFields): Asked {
  const { tools = [], tool_choice: chosen, functions = [], function_call: called } = given;
  const all = [...tools.map((tool) => toolOf(tool.function)), ...functions.map(toolOf)];
  const choices = typeof called === "object" ? { type: "function" as const, function: called } : called;
  if (typeof chosen !== "object" || chosen.type === "function") return asked(all, chosen ?? choices);
  const { mode, tools: allowed } = chosen.allowed_tools;
  return allowedOf(
    all,
    mode,
    allowed.map((each) => each.function.name),
  );
}

export const toolOf = ({ name, ...rest }: { name: string } & Partial<Record<string, unknown>>): Tool => ({
  type: "function",
  function: { name, ...(present(rest) as Omit<Tool["function"], "name">) }, // fields of functionFields, and strict
});

/** Only these may be called: the model is told of no others. A name that there is not is asked for, to be refused by it. */
export function allowedOf(tools: Tool[], mode: "auto" | "required", names: readonly string[]): Asked {
  const missing = names.find((name) => tools.every((tool) => tool.function.name !== name));
  if (missing !== undefined) return asked(tools, { type: "function", function: { name: missing } });
  return asked(
    tools.filter((tool) => names.includes(tool.function.name)),
    mode,
  );
}

const asked = (tools: Tool[], choices: ChatInput["tool_choice"]): Asked => ({
  ...(tools.length > 0 && { tools }),
  ...(choices !== undefined && { tool_choice: choices }),
});
