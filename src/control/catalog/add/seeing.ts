// Language models that read pictures, in transformers.js' layout: three graphs, chat. models.md 3.2.
import { configOf, type Family, present, requireFiles } from "./finding.ts";
import { KEPT_BYTES, keptOf, numberIn, PLACES, pickLanguageGraphs, USUAL_TOKENS } from "./language.ts";

/** Values of `model_type`: engine/sight/sight.ts knows how these see. */
export const SEEING = ["idefics3", "smolvlm", "qwen2_vl", "qwen2_5_vl"] as const;

const GRAPHS = ["vision_encoder", "embed_tokens", "decoder_model_merged"].map((name) => `onnx/${name}.onnx`);

/**
 * The vectors of pictures that were seen (generation/language-model.ts), and what a vision tower computes: on one tile, or
 * on Qwen2-VL's 5120 patches, which all look at each other with 16 heads.
 */
const SIGHT_BYTES = 1.2e9;
const QWEN_BYTES = 4e9;

export const seeing: Family = (repository, wishes) => {
  const graphs = pickLanguageGraphs(repository, GRAPHS, wishes);
  const config = configOf(repository, "config.json");
  const { text_config: own } = config;
  const words = typeof own === "object" && own !== null ? { ...config, ...own } : config;
  const kept = keptOf(words);
  const isQwen = typeof config.model_type === "string" && config.model_type.startsWith("qwen");
  const context = numberIn(words, "max_position_embeddings");
  return {
    pipeline: "chat",
    category: "vision",
    description: `Answers in text, about pictures too${context === undefined ? "" : `; reads ${context} tokens, the answer included`}`,
    graphs,
    files: [
      ...requireFiles(repository, ["config.json", "preprocessor_config.json", "tokenizer.json"]),
      ...present(repository, [
        ...["generation_config.json", "tokenizer_config.json", "special_tokens_map.json", "processor_config.json"],
        ...["chat_template.jinja", "chat_template.json"],
      ]),
      ...Object.values(graphs).flatMap(({ files }) => files),
    ],
    defaults: {},
    working: KEPT_BYTES + (isQwen ? QWEN_BYTES : SIGHT_BYTES) + kept * USUAL_TOKENS,
    perBatchItem: kept * USUAL_TOKENS,
    limits: { maxBatch: PLACES },
    unit: "token",
    unsure: ["For fal's words add fal-ai/moondream2 or fal-ai/moondream2/visual-query to its aliases."],
  };
};
