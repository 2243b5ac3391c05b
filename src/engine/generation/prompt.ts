// From a job's input to the tokens that the model reads.
import { ForecourtError } from "../../core/errors.ts";
import type { Look, Sight } from "../sight/look.ts";
import type { LanguageTokenizer } from "../text/language-tokenizer.ts";
import type { ChatInput } from "./chat-fields.ts";
import { conversationOf, type TemplateMessage, wrong } from "./conversation.ts";
import type { LanguageModel } from "./language-model.ts";

export type Prompt = {
  tokens: number[];
  /** The answer begins inside a thought. */
  isThinking: boolean;
  /** The most tokens that the answer may have. */
  room: number;
};

type Parts = Pick<LanguageModel, "tokenizer" | "template" | "context" | "sight">;

/**
 * `looks`: the conversation's pictures, in order. Throws `invalid_input`: a conversation that the template refuses, or one
 * that is longer than the model reads, or far longer where its tokens are only counted.
 */
export function promptOf(input: ChatInput, model: Parts, looks: readonly Look[] = []): Prompt {
  const { tokenizer, context, sight } = model;
  const written = input.raw ? rawText(input) : rendered(input, model);
  const text = sight ? withLooks(written, { looks, sight }) : written;
  expectPossibleLength(text, { model, input });
  const tokens = tokenizer.encode(text, { begin: input.raw });
  if (tokens.length === 0) throw wrong(["prompt"], "The prompt holds no tokens", "value_error");
  if (tokens.length >= context && input.max_tokens !== 0) throw tooLong(input, { given: tokens.length, context });
  const room = context - tokens.length;
  return { tokens, isThinking: !input.raw && THINKS.test(text), room: Math.min(room, input.max_tokens ?? room) };
}

/** Letters that are turned into tokens at once whatever the model reads. */
const SHORT = 65_536;

/** Turning a text into tokens takes the thread on which all answers are made: one that is certainly too long is refused before. */
function expectPossibleLength(text: string, { model, input }: { model: Parts; input: ChatInput }): void {
  const { tokenizer, context } = model;
  const most = input.max_tokens === 0 ? 2 * context : context;
  if (text.length > SHORT && tokenizer.hasAtLeast(text, most))
    throw tooLong(input, { given: most, isMore: true, context });
}

/** Templates of models that always think begin the thought themselves. */
const THINKS = /<think>\s*$/;

function rawText({ prompt, messages, image_url: url }: ChatInput): string {
  if (url !== undefined) throw wrong(["image_url"], "With raw, there are no pictures", "value_error");
  if (prompt !== undefined && messages === undefined) return prompt;
  throw wrong(["prompt"], "With raw, the text to go on from is given as prompt, and no messages", "value_error");
}

/** What stands for each picture, where the template has put its mark. */
function withLooks(written: string, { looks, sight: { mark } }: { looks: readonly Look[]; sight: Sight }): string {
  const [first = "", ...others] = written.split(mark);
  if (others.length > looks.length) {
    const msg = `The text holds "${mark}", which stands for a picture in this model's prompts`;
    throw wrong(["prompt"], msg, "value_error");
  }
  if (others.length < looks.length)
    throw wrong(["messages"], "The model's chat template has no place for some of the pictures", "value_error");
  return others.reduce((text, rest, at) => `${text}${looks[at]?.text}${rest}`, first);
}

function rendered(input: ChatInput, { template, sight, tokenizer }: Parts): string {
  const said = conversationOf(input, { sees: sight !== undefined });
  if (!template)
    throw wrong(
      ["messages"],
      "This model has no chat template: give prompt and raw: true to let it go on",
      "value_error",
    );
  const given = input.tools && input.tool_choice !== "none" ? input.tools : null;
  const knowsTools = template.source.includes("tools");
  const tools = quoted(knowsTools ? given : null, tokenizer);
  const messages = quoted(given && !knowsTools ? withTools(said, given) : said, tokenizer);
  const render = (said: readonly TemplateMessage[]) =>
    template.render({ messages: said, tools, documents: null, add_generation_prompt: true });
  if (messages.every(({ content }) => content !== null)) return render(messages);
  try {
    return render(messages);
  } catch {
    // Templates without tools take no message without text.
    return render(messages.map((message) => ({ ...message, content: message.content ?? "" })));
  }
}

/** Every text in it as somebody's words: who types the mark that ends a message does not end it. */
function quoted<Value>(value: Value, tokenizer: Pick<LanguageTokenizer, "quoted">): Value {
  const within = (each: unknown): unknown => {
    if (typeof each === "string") return tokenizer.quoted(each);
    if (Array.isArray(each)) return each.map(within);
    if (each === null || typeof each !== "object") return each;
    return Object.fromEntries(Object.entries(each).map(([name, one]) => [tokenizer.quoted(name), within(one)]));
  };
  return within(value) as Value;
}

/** For templates that do not write tools: described before the first thing that the user says. */
function withTools(said: TemplateMessage[], tools: NonNullable<ChatInput["tools"]>): TemplateMessage[] {
  const described = tools.map(({ function: each }) => JSON.stringify(each)).join("\n");
  const note = `You may call these functions:\n${described}\nTo call one, answer with nothing but JSON: {"name": its name, "arguments": an object}.\n\n`;
  const at = said.findIndex(({ role }) => role === "user");
  return said.map((message, i) => (i === at ? { ...message, content: noted(message.content, note) } : message));
}

const noted = (content: TemplateMessage["content"], note: string): TemplateMessage["content"] =>
  Array.isArray(content) ? [{ type: "text", text: note }, ...content] : note + (content ?? "");

type TooLong = { given: number; isMore?: boolean; context: number };

/** Clients know it by OpenAI's first words, which others have taken over: they leave early messages out, or ask another model. */
function tooLong(input: ChatInput, { given, isMore = false, context }: TooLong): ForecourtError {
  const msg = `This model's maximum context length is ${context} tokens, its answer included, and the prompt has ${isMore ? "at least " : ""}${given}. Shorten the prompt or leave out early messages`;
  const field = input.messages ? "messages" : "prompt";
  return new ForecourtError("invalid_input", msg, {
    problems: [
      {
        loc: ["body", field],
        msg,
        type: "context_length_exceeded",
        ctx: { prompt_tokens: given, context_length: context },
      },
    ],
    details: { prompt_tokens: given, context_length: context },
  });
}
