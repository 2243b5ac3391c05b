// Calls of tools as they are written: a call is one for certain once its name is known and its arguments have begun.

export type GrowingCall = {
  id: string;
  name: string;
  /** As the model writes them, without the blanks between: a beginning of JSON until they are whole. */
  arguments: string;
  isWhole: boolean;
};

export type GrowingCalls = {
  readonly calls: readonly GrowingCall[];
  /** What follows, from the first mark or bracket of a call on. */
  push(text: string): void;
};

type Options = { names: ReadonlySet<string>; most?: number | undefined; newId(): string };

const MARK = String.raw`(?:<tool_call>|<function_call>|\[TOOL_CALLS\]|<\|python_tag\|>|<\|tool_call\|>)`;
/** Ends the call before: its bracket, the family's end mark, and what parts calls in lists and lines. */
const BETWEEN = String.raw`\s*\}?\s*(?:<\/tool_call>|<\/function_call>|[;,])?\s*`;
const FENCE = "(?:```(?:json)?\\s*)?";
const NAMED = String.raw`\{\s*"name"\s*:\s*"([\w-]+)"\s*,\s*"(?:arguments|parameters)"\s*:\s*`;
const BEGIN = new RegExp(String.raw`^${BETWEEN}${FENCE}${MARK}?\s*\[?\s*${NAMED}(?=\{)`);
const MISTRAL = /^\s*\[TOOL_CALLS\]\s*([\w-]+)(?:\[CALL_ID\]\w+)?(?:\[ARGS\])?\s*(?=\{)/;
/** Nothing that begins a call is as long: what is longer is none. */
const LONGEST_BEGIN = 300;

export function createGrowingCalls({ names, most = Number.POSITIVE_INFINITY, newId }: Options): GrowingCalls {
  const calls: GrowingCall[] = [];
  let before = "";
  let isOver = false;
  let open: { call: GrowingCall; take(text: string): number } | undefined;

  /** The rest of `text`, behind the beginning of a call; undefined while there is none. */
  function begin(text: string): string | undefined {
    before += text;
    const found = BEGIN.exec(before) ?? MISTRAL.exec(before);
    const [whole = "", name = ""] = found ?? [];
    if (!found) isOver = before.length > LONGEST_BEGIN;
    else if (!names.has(name)) isOver = true;
    if (!found || isOver) return undefined;
    const call = { id: newId(), name, arguments: "", isWhole: false };
    calls.push(call);
    open = { call, take: objectInto(call) };
    const rest = before.slice(whole.length);
    before = "";
    return rest;
  }

  return {
    calls,
    push(text) {
      let rest: string | undefined = text;
      while (rest !== undefined && rest !== "" && !isOver) {
        if (!open) {
          rest = calls.length < most ? begin(rest) : undefined;
          continue;
        }
        rest = rest.slice(open.take(rest));
        if (open.call.isWhole) open = undefined;
      }
    },
  };
}

/** Takes an object's text until its last bracket, and says how much of it that was. */
function objectInto(call: GrowingCall): (text: string) => number {
  let [depth, isInString, isEscaped] = [0, false, false];
  const isKept = (sign: string): boolean => {
    if (isInString) {
      if (isEscaped) isEscaped = false;
      else if (sign === "\\") isEscaped = true;
      else if (sign === '"') isInString = false;
      return true;
    }
    if (sign === '"') isInString = true;
    else if (sign === "{" || sign === "[") depth++;
    else if (sign === "}" || sign === "]") depth--;
    return !/\s/.test(sign);
  };
  return (text) => {
    for (let at = 0; at < text.length; at++) {
      const sign = text.charAt(at);
      if (isKept(sign)) call.arguments += sign;
      if (depth > 0) continue;
      call.isWhole = true;
      return at + 1;
    }
    return text.length;
  };
}
