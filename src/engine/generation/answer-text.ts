// The text of an answer as its tokens come: thoughts parted from it, stop strings cut, calls of tools found.
import { createDetokenizer } from "../text/detokenize.ts";
import type { LanguageTokenizer, Token } from "../text/language-tokenizer.ts";
import { createStopWatch } from "./stop.ts";
import { createThoughts, type Parted } from "./thoughts.ts";
import type { ToolCall, ToolWatch } from "./tools/tool-calls.ts";

export type AnswerText = {
  push(token: Token): void;
  end(): void;
  /** All that may be shown so far. */
  readonly said: string;
  readonly thought: string;
  /** While it grows, with arguments as far as they have come. */
  readonly calls: readonly ToolCall[];
  /** The last call's arguments are not whole. */
  readonly isCut: boolean;
  /** A stop string has ended it. */
  readonly isStopped: boolean;
  /** What comes now is thought, not said. */
  readonly isThinking: boolean;
};

export type AnswerTextOptions = {
  tokenizer: LanguageTokenizer;
  stops: readonly string[];
  /** Absent where thoughts are not told from text. */
  thoughts?: { isThinking: boolean };
  tools?: ToolWatch;
};

/** Tokens that mark structure and are read nevertheless, where calls of tools are looked for. */
const TOOL_MARKS = /^(?:<\/?tool_call>|\[TOOL_CALLS\]|\[ARGS\]|\[CALL_ID\]|<\|python_tag\|>|<\|tool_call\|>)$/;

export function createAnswerText({ tokenizer, stops: words, thoughts: think, tools }: AnswerTextOptions): AnswerText {
  const letters = createDetokenizer(tokenizer);
  const stops = createStopWatch(words);
  const thoughts = think && createThoughts(think);
  const text = { said: "", thought: "", calls: [] as ToolCall[], isCut: false, isOver: false };

  const say = (more: string) => {
    text.said += tools ? tools.push(more) : more;
  };
  const add = ({ answer, thoughts: more }: Parted) => {
    text.thought += more;
    say(stops.push(answer));
  };
  const write = (more: string) => add(thoughts?.push(more) ?? { answer: more, thoughts: "" });
  const isRead = (token: Token) =>
    !token.isSpecial || (tools !== undefined && TOOL_MARKS.test(new TextDecoder().decode(token.bytes)));

  return {
    get said() {
      return text.said;
    },
    get thought() {
      return text.thought.trim();
    },
    get calls() {
      return text.isOver ? text.calls : (tools?.growing() ?? []);
    },
    get isCut() {
      return text.isCut;
    },
    get isStopped() {
      return stops.isStopped;
    },
    get isThinking() {
      return thoughts?.isInside ?? false;
    },
    push(token) {
      if (isRead(token)) write(letters.push(token));
    },
    end() {
      write(letters.end());
      if (thoughts) add(thoughts.end());
      say(stops.end());
      text.isOver = true;
      const rest = tools?.end();
      if (!rest) return;
      text.said += rest.text;
      text.calls = rest.calls;
      text.isCut = rest.isCut;
      // Blanks between an answer and its calls are of the format.
      if (rest.calls.length > 0) text.said = text.said.trimEnd();
    },
  };
}
