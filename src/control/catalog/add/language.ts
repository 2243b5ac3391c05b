// Decoder-only language models in transformers.js' layout: chat and completion. models.md 1.1, 1.2 and 3.3.
import { invariant } from "../../../core/errors.ts";
import type { Dtype } from "../../../engine/dtypes.ts";
import { configOf, type Family, present, requireFiles, type Wishes } from "./finding.ts";
import { dtypesOf, graphsIn, type PickedGraph, pickGraphs } from "./pick-graph.ts";
import type { Repository } from "./repository.ts";

/** Under which the pipeline asks for the graph; older exports have the other one. */
const GRAPH = "onnx/model.onnx";
const MERGED = "onnx/decoder_model_merged.onnx";

/** Models of `config.json` whose exports take and give keys and values layer by layer. */
export const LANGUAGE_MODELS = [
  ...["llama", "mistral", "qwen2", "qwen3", "qwen2_moe", "qwen3_moe", "gemma", "gemma2", "gemma3_text", "phi", "phi3"],
  ...["smollm3", "granite", "stablelm", "olmo", "olmo2", "olmo3", "cohere", "cohere2", "helium", "exaone", "exaone4"],
  ...["glm", "ernie4_5", "hunyuan_v1_dense", "starcoder2", "gpt2", "gpt_neo", "gpt_neox", "gptj", "codegen"],
] as const;

/** Answers grow side by side; each has keys and values of this many tokens in mind. */
export const USUAL_TOKENS = 4096;
export const PLACES = 8;
/** Of earlier conversations (generation/language-model.ts), and what a step computes. */
export const KEPT_BYTES = 512e6;
const BYTES_OF_NUMBER = 4;

export const language: Family = (repository, wishes) => {
  const name = repository.files.some(({ path }) => path.startsWith("onnx/model")) ? GRAPH : MERGED;
  const { [name]: graph } = pickLanguageGraphs(repository, [name], wishes);
  invariant(graph, "what was asked for was picked");
  const config = configOf(repository, "config.json");
  const kept = keptOf(config);
  const context = numberIn(config, "max_position_embeddings") ?? numberIn(config, "n_positions");
  return {
    pipeline: "chat",
    category: "llm",
    description: `Answers in text${context === undefined ? "" : `; reads ${context} tokens, the answer included`}`,
    graphs: { [GRAPH]: graph },
    files: [
      ...requireFiles(repository, ["config.json", "tokenizer.json"]),
      ...present(repository, [
        ...["generation_config.json", "tokenizer_config.json", "special_tokens_map.json"],
        ...["chat_template.jinja", "chat_template.json"],
      ]),
      ...graph.files,
    ],
    defaults: {},
    working: KEPT_BYTES + kept * USUAL_TOKENS,
    perBatchItem: kept * USUAL_TOKENS,
    limits: { maxBatch: PLACES },
    unit: "token",
    unsure: [],
  };
};

/**
 * In the dtype that is wished for, else in the first of the device's that is quick and fits. Throws as `pickGraphs`.
 * What answers token by token is bound by reading the numbers.
 */
export function pickLanguageGraphs(
  repository: Repository,
  graphs: readonly string[],
  wishes: Pick<Wishes, "kind" | "dtype" | "room">,
): Record<string, PickedGraph> {
  const { kind, dtype, room } = wishes;
  if (dtype) return pickGraphs(repository, graphs, wishes);
  const there = graphsIn(repository, graphs, ORDER[kind === "cpu" ? "cpu" : "gpu"]);
  const most = room === undefined ? Number.POSITIVE_INFINITY : room.bytes * SHARE_OF_ROOM;
  const isQuick = (found: Picked) => bytesOf(found) <= QUICK_BYTES || dtypesOf(found) !== "fp32";
  const [fitting] = there.filter((found) => bytesOf(found) <= most && isQuick(found));
  const [smallest] = there.toSorted((a, b) => bytesOf(a) - bytesOf(b));
  return fitting ?? smallest ?? pickGraphs(repository, graphs, wishes);
}

type Picked = Record<string, PickedGraph>;

const bytesOf = (found: Picked) => Object.values(found).reduce((sum, { bytes }) => sum + bytes, 0);

/**
 * A processor spends its time on reading the numbers: four bits are four times as quick as single precision, which is
 * worth its exactness in small models only. It computes half precision in single. A GPU computes in half.
 */
const ORDER: Record<"cpu" | "gpu", readonly Dtype[]> = {
  cpu: ["fp32", "q4", "q8", "int8", "uint8", "bnb4", "q4f16", "fp16"],
  gpu: ["fp16", "q4f16", "q4", "fp32", "q8", "int8", "uint8", "bnb4"],
};
const QUICK_BYTES = 700e6;
/** The rest is for keys, values and other models. */
const SHARE_OF_ROOM = 0.6;

/** Bytes of one token's keys and values. */
export function keptOf(config: Record<string, unknown>): number {
  const layers = numberIn(config, "num_hidden_layers") ?? numberIn(config, "n_layer") ?? 0;
  const heads = numberIn(config, "num_attention_heads") ?? numberIn(config, "n_head") ?? 1;
  const width =
    numberIn(config, "head_dim") ?? (numberIn(config, "hidden_size") ?? numberIn(config, "n_embd") ?? 0) / heads;
  return 2 * layers * (numberIn(config, "num_key_value_heads") ?? heads) * width * BYTES_OF_NUMBER;
}

export function numberIn(config: Record<string, unknown>, name: string): number | undefined {
  const value = config[name];
  return typeof value === "number" ? value : undefined;
}
