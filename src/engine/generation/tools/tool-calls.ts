// Finds the calls of tools in an answer: what may be one is held back, what turns out to be none is text.
import type { ChatOutput } from "../chat-fields.ts";
import { longestBegun } from "../stop.ts";
import { createGrowingCalls } from "./growing-calls.ts";

export type ToolCall = NonNullable<ChatOutput["tool_calls"]>[number];

export type ToolWatch = {
  /** What is no call for certain. */
  push(text: string): string;
  /** Those that are calls for certain, with their arguments as far as they have come. */
  growing(): ToolCall[];
  /** The calls, or else the text that was held back; `isCut`: the last call's arguments are not whole. */
  end(): { text: string; calls: ToolCall[]; isCut: boolean };
};

type Options = {
  marks: readonly string[];
  /** Of the tools that there are: other names are no calls. */
  names: ReadonlySet<string>;
  /** Of several calls the first ones count. */
  most?: number;
  newId(): string;
};

export function createToolWatch({ marks, names, most, newId }: Options): ToolWatch {
  let held = "";
  let isHolding = false;
  let hasShown = false;
  const grown = createGrowingCalls({ names, most, newId });

  function show(text: string): string {
    if (text.trim() !== "") hasShown = true;
    return text;
  }
  return {
    growing: () => grown.calls.map(asToolCall),
    push(text) {
      held += text;
      if (isHolding) {
        grown.push(text);
        return "";
      }
      // Some families write a call without any mark: then it is all of the answer.
      if (!hasShown && /^\s*([[{]|```)/.test(held)) {
        isHolding = true;
        grown.push(held);
        return "";
      }
      if (!hasShown && "```".startsWith(held.trimStart())) return "";
      const at = marks.map((mark) => held.indexOf(mark)).filter((place) => place >= 0);
      isHolding = at.length > 0;
      const until = isHolding ? Math.min(...at) : held.length - longestBegun(held, marks);
      const shown = show(held.slice(0, until));
      held = held.slice(until);
      if (isHolding) grown.push(held);
      return shown;
    },
    end() {
      const { calls: told } = grown;
      const found = isHolding ? callsIn(held, names).slice(0, most) : [];
      const isCut = told.some(({ isWhole }) => !isWhole);
      // What was told stays: arguments that break off are told as far as they came.
      if (isCut || told.some(({ name }, at) => found[at]?.name !== name))
        return { text: "", calls: told.map(asToolCall), isCut };
      if (found.length === 0) return { text: held, calls: [], isCut };
      const more = found.slice(told.length).map((called) => asToolCall({ id: newId(), ...called }));
      return { text: "", calls: [...told.map(asToolCall), ...more], isCut };
    },
  };
}

type Called = ToolCall["function"];

const asToolCall = ({ id, name, arguments: given }: Called & { id: string }): ToolCall => ({
  id,
  type: "function",
  function: { name, arguments: given },
});

/** Empty when anything of it is no call of a known tool. */
function callsIn(text: string, names: ReadonlySet<string>): Called[] {
  const found = [hermes, mistral, plain].map((read) => read(text)).find((calls) => calls.length > 0) ?? [];
  return found.every(({ name }) => names.has(name)) ? found : [];
}

/** `<tool_call>{...}</tool_call>`, once or more; the last end may be missing. */
function hermes(text: string): Called[] {
  const blocks = [...text.matchAll(/<(tool_call|function_call)>([\s\S]*?)(?:<\/\1>|$)/g)];
  return everyOne(blocks.map(([, , inside = ""]) => plain(inside)));
}

/** `[TOOL_CALLS]name[ARGS]{...}` or `[TOOL_CALLS]name{...}`, once or more. */
function mistral(text: string): Called[] {
  const parts = text.split("[TOOL_CALLS]").slice(1);
  return everyOne(
    parts.map((part) => {
      const [, name, json = ""] = /^\s*([\w-]+)(?:\[CALL_ID\]\w+)?(?:\[ARGS\])?\s*(\{[\s\S]*\})\s*$/.exec(part) ?? [];
      const value = parsed(json);
      return name !== undefined && isObject(value) ? [{ name, arguments: JSON.stringify(value) }] : [];
    }),
  );
}

const everyOne = (all: Called[][]): Called[] => (all.every((calls) => calls.length > 0) ? all.flat() : []);

/** `{"name": ..., "arguments" or "parameters": {...}}`: one, a list, or several with semicolons or lines between. */
function plain(text: string): Called[] {
  const bare = text
    .replace(/^\s*(?:\[TOOL_CALLS\]|<\|python_tag\|>|<\|tool_call\|>)/, "")
    .replace(/^\s*```(?:json)?\s*([\s\S]*?)\s*```\s*$/, "$1")
    .trim();
  const whole = parsed(bare);
  const values = whole === undefined ? bare.split(/;\s*(?=\{)|\n+(?=\{"name")/).map(parsed) : [whole].flat();
  return everyOne(values.map(calledOf));
}

function calledOf(value: unknown): Called[] {
  if (!isObject(value)) return [];
  const called = isObject(value.function) ? value.function : value;
  const given = called.arguments ?? called.parameters ?? {};
  if (typeof called.name !== "string") return [];
  return [{ name: called.name, arguments: typeof given === "string" ? given : JSON.stringify(given) }];
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
