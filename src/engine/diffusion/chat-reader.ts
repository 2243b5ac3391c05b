// A prompt read by a chat model: said by a user, as the model's template writes it, then layers of the model as its meaning.

import { invariant } from "../../core/errors.ts";
import { inFolder } from "../in-folder.ts";
import { requirePort, tensorOf, toFloats } from "../tensor/tensor.ts";
import { loadChatTemplate, type TemplateConfig } from "../text/chat-template.ts";
import { loadLanguageTokenizer } from "../text/language-tokenizer.ts";
import { createRecent } from "../text/recent.ts";
import type { PromptEmbedding } from "./prompt-encoder.ts";
import type { Repository } from "./repository.ts";

type TokenizerConfig = TemplateConfig & { padding_side?: "left" | "right" };

/** Qwen3's, told not to think; for repositories without a template. */
const QWEN = {
  before: "<|im_start|>user\n",
  after: "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
  padding: "<|endoftext|>",
};

/** Embeddings of a model of 4B parameters are 16 MB each. */
const KEPT_PROMPTS = 8;

/**
 * Reads of the part `text_encoder` and of `tokenizer` (or of the root, where the tokenizer lies there). Always `length`
 * tokens: longer prompts are cut together with the template's end, as in transformers, shorter ones padded and masked.
 */
export async function loadChatReader(repository: Repository, length: number) {
  const assets = repository.assets.has("tokenizer/tokenizer.json")
    ? inFolder(repository.assets, "tokenizer")
    : repository.assets;
  const config: TokenizerConfig = assets.has("tokenizer_config.json") ? await assets.json("tokenizer_config.json") : {};
  const tokenizer = await loadLanguageTokenizer(assets, config);
  const template = await loadChatTemplate(assets, config);
  const graph = await repository.graph("text_encoder");
  const ids = requirePort(graph.inputs, { names: ["input_ids"], of: "text encoder" });
  const mask = requirePort(graph.inputs, { names: ["attention_mask"], of: "text encoder" });
  const output = requirePort(graph.outputs, { names: ["prompt_embeds", "last_hidden_state"], of: "text encoder" });
  const padding = tokenizer.idOf(paddingOf(config));
  invariant(padding !== undefined, "a tokenizer knows its padding token");
  const said = (prompt: string) =>
    template?.render({
      messages: [{ role: "user", content: prompt }],
      add_generation_prompt: true,
      enable_thinking: false,
    }) ?? `${QWEN.before}${prompt}${QWEN.after}`;

  async function read(prompt: string): Promise<PromptEmbedding> {
    const all = tokenizer.encode(said(prompt));
    const kept = all.slice(0, length);
    const fill = (values: readonly number[], value: number) => {
      const rest = new Array<number>(length - values.length).fill(value);
      return config.padding_side === "left" ? [...rest, ...values] : [...values, ...rest];
    };
    const ones = kept.map(() => 1);
    const results = await graph.run({
      [ids.name]: tensorOf(ids.dtype, [1, length], fill(kept, padding ?? 0)),
      [mask.name]: tensorOf(mask.dtype, [1, length], fill(ones, 0)),
    });
    const states = results[output.name];
    invariant(states, "a graph gives each of its outputs");
    const [, tokens = 0, width = 0] = states.shape;
    return { data: toFloats(states), tokens, width, readings: 1, dropped: all.length - kept.length };
  }

  const recent = createRecent<PromptEmbedding>(KEPT_PROMPTS);
  return (prompt: string) => recent.get(prompt, () => read(prompt));
}

function paddingOf({ pad_token: padding }: TemplateConfig): string {
  if (!padding) return QWEN.padding;
  return typeof padding === "string" ? padding : padding.content;
}
