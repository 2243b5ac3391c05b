// Everything of one language model that its answers need: graph, tokens, template, where it ends and how much it reads.
import { ForecourtError } from "../../core/errors.ts";
import type { Assets } from "../../core/pipeline.ts";
import type { Sight, SightConfig } from "../sight/look.ts";
import { createSeenPictures, type SeenPictures } from "../sight/seen-pictures.ts";
import { loadSight } from "../sight/sight.ts";
import { type ChatTemplate, loadChatTemplate, type TemplateConfig } from "../text/chat-template.ts";
import { type LanguageTokenizer, loadLanguageTokenizer } from "../text/language-tokenizer.ts";
import { type Constraints, createConstraints } from "./constraint/constraint.ts";
import { createDecodeLoop, type DecodeLoop } from "./decode-loop.ts";
import { type Decoder, loadDecoder } from "./decoder.ts";
import { paddingOf } from "./padding-probe.ts";
import { createPrefixes } from "./prefixes.ts";

export type LanguageModel = {
  decoder: Decoder;
  loop: DecodeLoop;
  tokenizer: LanguageTokenizer;
  template: ChatTemplate | undefined;
  /** Of a model that reads pictures. */
  sight: Sight | undefined;
  seen: SeenPictures;
  /** For answers that must look in a certain way. */
  constraints: Constraints;
  /** Tokens that end an answer. */
  ends: ReadonlySet<number>;
  /** The most tokens of prompt and answer together. */
  context: number;
};

type Ids = number | number[] | null;
type Config = SightConfig & {
  max_position_embeddings?: number;
  num_hidden_layers?: number;
  eos_token_id?: Ids;
  text_config?: { max_position_embeddings?: number; num_hidden_layers?: number; eos_token_id?: Ids };
};

/** Of the memory of the process, for conversations that may go on; a model of 3 billion weights keeps about 4,600 tokens in it. */
const KEPT_BYTES = 512 * 1024 * 1024;

/** For pictures of conversations that may go on: about a hundred of a thousand tokens each. */
const SEEN_BYTES = 256 * 1024 * 1024;

/** Throws `weights_missing` for absent or strange files, `runner_failed` for a graph of another kind. */
export async function loadLanguageModel(assets: Assets): Promise<LanguageModel> {
  const config = await assets.json<Config>("config.json");
  const optional = async <T extends object>(name: string): Promise<Partial<T>> =>
    assets.has(name) ? await assets.json<T>(name) : {};
  const generation = await optional<{ eos_token_id?: Ids }>("generation_config.json");
  const words = await optional<TemplateConfig & { model_max_length?: number }>("tokenizer_config.json");
  const tokenizer = await loadLanguageTokenizer(assets, words);
  const template = await loadChatTemplate(assets, words);
  const context =
    config.max_position_embeddings ?? config.text_config?.max_position_embeddings ?? words.model_max_length;
  // Some files say 1e30 for "not limited".
  if (context === undefined || context > 1e9)
    throw new ForecourtError("weights_missing", "config.json does not say how many tokens the model reads");
  const decoder = await loadDecoder(assets, {
    layers: config.num_hidden_layers ?? config.text_config?.num_hidden_layers,
  });
  const ends = new Set(idsOf(generation.eos_token_id ?? config.eos_token_id ?? config.text_config?.eos_token_id));
  const prefixes = createPrefixes({ shape: decoder.kv, bytes: KEPT_BYTES });
  return {
    decoder,
    loop: createDecodeLoop({ decoder, padding: await paddingOf(decoder), prefixes }),
    tokenizer,
    template,
    sight: await loadSight(assets, config),
    seen: createSeenPictures({ bytes: SEEN_BYTES }),
    context,
    ends,
    constraints: createConstraints(tokenizer, ends),
  };
}

const idsOf = (ids: Ids | undefined) => (ids === null || ids === undefined ? [] : [ids].flat());
