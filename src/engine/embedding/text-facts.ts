// What a folder of weights says of how its model reads texts: sentence-transformers' files and the usual configs.
import { ForecourtError } from "../../core/errors.ts";
import type { Assets } from "../../core/pipeline.ts";
import type { EmbedDeclaration, Pooling } from "./declaration.ts";
import { isSiglip } from "./siglip.ts";

export type TextFacts = {
  /** The most ids of one row, marks included. */
  most: number;
  /** Undefined where nothing says. */
  pooling: Pooling | undefined;
  /** The graph is all of the model: no layer follows that sentence-transformers keeps beside it. */
  isWhole: boolean;
  prompts: Readonly<Record<string, string>>;
  defaultPrompt: string | undefined;
  /** SigLIP's: every row as long as the longest that the model reads, and each text judged by itself (sigmoid). */
  isSiglip: boolean;
  /** Whatever tokenizer.json says: Gemma's, as SigLIP 2 took it, does not say that the model saw lower case alone. */
  lowercases: boolean;
};

type Config = { model_type?: string; max_position_embeddings?: number };
type Modules = { type: string; path: string }[];
type PromptsFile = { prompts?: Record<string, string>; default_prompt_name?: string | null };

/** Where nothing says: of towers the defaults of their configs in transformers, else BERT's. */
const USUAL_MOST: Record<string, number> = { clip: 77, siglip: 64, siglip2: 64 };
const BERTS = 512;

/** `declared` comes before what the files say. Throws `misconfigured` for poolings that are not known here. */
export async function readTextFacts(assets: Assets, declared: EmbedDeclaration = {}): Promise<TextFacts> {
  const optional = async <T extends object>(name: string): Promise<Partial<T>> =>
    assets.has(name) ? await assets.json<T>(name) : {};
  const config = await optional<Config & { text_config?: Config }>("config.json");
  const words = await optional<{ model_max_length?: number; do_lower_case?: boolean }>("tokenizer_config.json");
  const sentences = await optional<{ max_seq_length?: number | null }>("sentence_bert_config.json");
  const modules = assets.has("modules.json") ? await assets.json<Modules>("modules.json") : [];
  const said = await optional<PromptsFile>("config_sentence_transformers.json");
  const lengths = [sentences.max_seq_length, words.model_max_length, positionsOf({ ...config, ...config.text_config })];
  // Some files say 1e30 for "not limited".
  const known = lengths.filter((each) => typeof each === "number" && each > 0 && each < 1e9) as number[];
  return {
    most:
      declared.maxTokens ?? Math.min(...(known.length > 0 ? known : [USUAL_MOST[config.model_type ?? ""] ?? BERTS])),
    pooling: declared.pooling ?? (await poolingOf(assets, modules)),
    isWhole: !modules.some(({ type }) => /\.Dense$/.test(type)),
    prompts: declared.prompts ?? said.prompts ?? {},
    defaultPrompt: declared.defaultPrompt ?? said.default_prompt_name ?? undefined,
    isSiglip: isSiglip(config.model_type),
    lowercases: isSiglip(config.model_type) && words.do_lower_case !== false,
  };
}

/** The kin of RoBERTa counts positions from its padding's id plus one. */
const positionsOf = ({ model_type: type = "", max_position_embeddings: positions }: Config) =>
  positions === undefined ? undefined : positions - (/roberta|camembert|mpnet/.test(type) ? 2 : 0);

/** pooling_mode_<name> of sentence-transformers' Pooling. */
const MODES: Record<string, Pooling> = { mean_tokens: "mean", cls_token: "cls", lasttoken: "last" };

async function poolingOf(assets: Assets, modules: Modules): Promise<Pooling | undefined> {
  const folder = modules.find(({ type }) => /\.Pooling$/.test(type))?.path ?? "1_Pooling";
  const file = `${folder}/config.json`;
  if (!assets.has(file)) return undefined;
  const config = await assets.json<Record<string, unknown>>(file);
  const modes = Object.keys(config).filter((name) => name.startsWith("pooling_mode_") && config[name] === true);
  const [mode = "", ...others] = modes.map((name) => name.slice("pooling_mode_".length));
  const pooling = MODES[mode];
  if (pooling && others.length === 0 && config.include_prompt !== false) return pooling;
  const what = config.include_prompt === false ? "prompts that do not count" : modes.join(" and ") || "no pooling";
  throw new ForecourtError("misconfigured", `${file} asks for ${what}, which is not known here`);
}
