// Wraps @huggingface/jinja, the only file that imports it: a conversation to the text that a model was trained to go on from.
import { Template } from "@huggingface/jinja";
import { ForecourtError, toFailure } from "../../core/errors.ts";
import type { Assets } from "../../core/pipeline.ts";
import { contentOf, type SpecialToken } from "./clip-description.ts";

export type ChatTemplate = {
  /**
   * `variables` as transformers' apply_chat_template hands them to the template (messages, tools, ...). Throws
   * `invalid_input` for a conversation that the template refuses.
   */
  render(variables: Record<string, unknown>): string;
  /** The template as it is written, for what can only be told from its words. */
  source: string;
};

/** tokenizer_config.json, as far as templates go. */
export type TemplateConfig = {
  chat_template?: string | { name: string; template: string }[] | null;
  bos_token?: SpecialToken | null;
  eos_token?: SpecialToken | null;
  unk_token?: SpecialToken | null;
  pad_token?: SpecialToken | null;
};

/** From chat_template.jinja, else chat_template.json, else tokenizer_config.json; undefined for a model without one. */
export async function loadChatTemplate(assets: Assets, config: TemplateConfig): Promise<ChatTemplate | undefined> {
  const source = await sourceOf(assets, config);
  if (source === undefined) return undefined;
  const template = parse(source);
  const specials = Object.fromEntries(
    (["bos_token", "eos_token", "unk_token", "pad_token"] as const).flatMap((name) => {
      const token = config[name];
      return token ? [[name, contentOf(token)]] : [];
    }),
  );
  return { source, render: (variables) => render(template, { ...specials, ...variables }) };
}

async function sourceOf(assets: Assets, { chat_template: own }: TemplateConfig): Promise<string | undefined> {
  if (assets.has("chat_template.jinja")) return await assets.text("chat_template.jinja");
  if (assets.has("chat_template.json")) {
    const { chat_template } = await assets.json<TemplateConfig>("chat_template.json");
    if (typeof chat_template === "string") return chat_template;
  }
  if (Array.isArray(own)) return (own.find(({ name }) => name === "default") ?? own[0])?.template;
  return own ?? undefined;
}

function parse(source: string): Template {
  try {
    return new Template(source);
  } catch (cause) {
    throw new ForecourtError("weights_missing", `the chat template cannot be read: ${toFailure(cause).message}`, {
      cause,
    });
  }
}

function render(template: Template, variables: Record<string, unknown>): string {
  try {
    return template.render(variables);
  } catch (cause) {
    const msg = `The model's chat template does not take this conversation: ${toFailure(cause).message}`;
    throw new ForecourtError("invalid_input", msg, {
      problems: [{ loc: ["body", "messages"], msg, type: "value_error" }],
      cause,
    });
  }
}
