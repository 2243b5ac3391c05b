// Whisper by transformers.js: its features, its language, one pass over a window, its words.
import { ForecourtError } from "../../core/errors.ts";
import type { Assets } from "../../core/pipeline.ts";
import type { Tensor } from "../../core/tensor.ts";
import { tensorOf, toFloats } from "../tensor/tensor.ts";
import { chanceOf, countChances } from "./certainty.ts";
import { languageCode, languageName } from "./languages.ts";
import { keepMarksInOrder, type MarkRules } from "./time-marks.ts";
import { tokenTimes } from "./word-times.ts";

/** What is read of generation_config.json and config.json. */
type Settings = {
  decoder_start_token_id: number;
  eos_token_id: number | number[];
  no_timestamps_token_id: number;
  is_multilingual?: boolean;
  lang_to_id?: Record<string, number>;
  task_to_id?: Record<string, number>;
  alignment_heads?: [number, number][];
  suppress_tokens?: number[] | null;
  begin_suppress_tokens?: number[] | null;
  max_initial_timestamp_index?: number | null;
};

export type Listening = {
  /** Code; absent for models of one language. */
  language?: string;
  task: "transcribe" | "translate";
  /** Text that came before. */
  prompt: string;
  temperature: number;
  /** When each token was said, too; `frames` are those with sound. */
  withTimes?: { frames: number };
  signal: AbortSignal;
};

export type Whisper = Awaited<ReturnType<typeof loadWhisper>>;

/** Throws `weights_missing` for a folder that is not in transformers.js' layout. */
export async function loadWhisper(assets: Assets) {
  const parts = await openParts(assets);
  const { extractor, firstMark, settings } = parts;
  return {
    rate: 16_000,
    firstMark,
    isMultilingual: settings.is_multilingual === true,
    /** Of at most 30 seconds: [1, bands, frames]. */
    async features(samples: Float32Array): Promise<Tensor> {
      const { input_features } = (await extractor.call("", samples)) as { input_features: Tensor };
      return input_features;
    },
    language: (wanted: string) => knownLanguage(parts, wanted),
    detectLanguage: (features: Tensor) => detectLanguage(parts, features),
    silenceChance: (features: Tensor, prompt: string) => silenceChance(parts, features, prompt),
    /** Tokens at its beginning that find no room. */
    promptLeftOut: async (prompt: string) => Math.max(0, (await promptTokens(parts, prompt)).length - roomOf(parts)),
    pass: (features: Tensor, listening: Listening) => pass(parts, features, listening),
    text: (tokens: readonly number[]) => textOf(parts, tokens),
    words: (tokens: readonly number[], language: string | undefined) => wordsOf(parts, tokens, language),
  };
}

type Parts = Awaited<ReturnType<typeof openParts>>;

async function openParts(assets: Assets) {
  const [extractor, tokenizer, model] = [
    await assets.transformers("AutoFeatureExtractor"),
    await assets.transformers("AutoTokenizer"),
    await assets.transformers("WhisperForConditionalGeneration"),
  ];
  const settings = model.get("generation_config") as Settings; // Whisper's, which the library has read
  const { max_target_positions: longest } = model.get("config") as { max_target_positions: number };
  const firstMark = settings.no_timestamps_token_id + 1;
  const rules: MarkRules = {
    firstMark,
    endToken: [settings.eos_token_id].flat()[0] ?? 0,
    withoutMarks: settings.no_timestamps_token_id,
    suppress: settings.suppress_tokens ?? [],
    suppressAtBeginning: settings.begin_suppress_tokens ?? [],
    latestBeginning: settings.max_initial_timestamp_index ?? undefined,
  };
  const languages = Object.entries(settings.lang_to_id ?? {}).map(([mark, id]) => ({ code: mark.slice(2, -2), id }));
  return { extractor, tokenizer, model, settings, longest, firstMark, rules, languages };
}

/** Throws `invalid_input` for one that the model does not know. */
function knownLanguage({ languages }: Parts, wanted: string): string {
  const code = languageCode(wanted);
  if (languages.some((each) => each.code === code)) return code;
  const known = languages.map((each) => each.code).join(", ");
  const msg = `The model does not know the language "${wanted}"; it knows ${known}`;
  throw new ForecourtError("invalid_input", msg, {
    problems: [{ loc: ["body", "language"], msg, type: "value_error", input: wanted }],
  });
}

/** The likeliest of all that the model knows. */
async function detectLanguage({ model, settings, languages }: Parts, features: Tensor): Promise<string | undefined> {
  const start = tensorOf("int64", [1, 1], [settings.decoder_start_token_id]);
  const given = { input_features: features, decoder_input_ids: start };
  const { logits } = (await model.call("", given)) as { logits: Tensor };
  const scores = toFloats(logits);
  const score = (id: number) => scores[id] ?? -Infinity;
  return languages.toSorted((a, b) => score(b.id) - score(a.id))[0]?.code;
}

/** At the start mark, before any rule; null for models that have no mark for it. */
async function silenceChance(parts: Parts, features: Tensor, prompt: string): Promise<number | null> {
  const { model, tokenizer, settings } = parts;
  const ids = [...(await previousText(parts, prompt)), settings.decoder_start_token_id];
  const given = { input_features: features, decoder_input_ids: tensorOf("int64", [1, ids.length], ids) };
  const { logits } = (await model.call("", given)) as { logits: Tensor };
  const vocabulary = logits.shape.at(-1) ?? 0;
  const encoded = await Promise.all(SILENCE_MARKS.map((mark) => tokenizer.call("encode", mark, BARE)));
  const mark = (encoded as number[][]).find((each) => each.length === 1)?.[0];
  return mark === undefined ? null : chanceOf(mark, toFloats(logits).subarray(-vocabulary));
}

/** As the tokenizers of different versions call it. */
const SILENCE_MARKS = ["<|nospeech|>", "<|nocaptions|>"];
const BARE = { add_special_tokens: false };

/** The prompt with its mark before it; empty where there is none. */
async function previousText(parts: Parts, prompt: string): Promise<number[]> {
  const before = await promptTokens(parts, prompt);
  return before.length === 0 ? [] : [...(await encode(parts, "<|startofprev|>")), ...before.slice(-roomOf(parts))];
}

const encode = async ({ tokenizer }: Parts, text: string) => (await tokenizer.call("encode", text, BARE)) as number[];
const promptTokens = async (parts: Parts, prompt: string) =>
  prompt.trim() === "" ? [] : await encode(parts, ` ${prompt.trim()}`);
const roomOf = ({ longest }: Parts) => Math.floor(longest / 2) - 1;

/** Marks that Whisper writes before it listens. */
async function begin(parts: Parts, { language, task, prompt }: Listening): Promise<number[]> {
  const { settings } = parts;
  const previous = await previousText(parts, prompt);
  const marks = settings.is_multilingual
    ? [settings.lang_to_id?.[`<|${language}|>`], settings.task_to_id?.[task]].filter((id) => id !== undefined)
    : [];
  return [...previous, settings.decoder_start_token_id, ...marks];
}

/** What it writes for one window, without the beginning that it is given and without the end mark. */
async function pass(
  parts: Parts,
  features: Tensor,
  listening: Listening,
): Promise<{ tokens: number[]; averageLogProbability: number; times?: number[] }> {
  const { model, settings, longest, rules } = parts;
  const beginning = await begin(parts, listening);
  const { withTimes, temperature, signal } = listening;
  if (withTimes && !settings.alignment_heads) throw withoutTimes();
  const chances = countChances();
  const result = await model.call("generate", {
    inputs: features,
    decoder_input_ids: beginning,
    return_timestamps: false,
    begin_suppress_tokens: null,
    adjust(ids: readonly number[], scores: Float32Array) {
      const before = ids.slice(beginning.length);
      keepMarksInOrder(before, scores, rules);
      chances.offer(before.at(-1), scores);
    },
    max_new_tokens: longest - beginning.length,
    ...(temperature > 0 && { do_sample: true, temperature }),
    ...(withTimes && { output_attentions: true, return_dict_in_generate: true }),
    signal,
  });
  const { sequences, cross_attentions } = withTimes ? (result as Looked) : { sequences: result as Tensor };
  const written = Array.from(sequences.data, Number).slice(beginning.length);
  const tokens = [settings.eos_token_id].flat().includes(written.at(-1) ?? Number.NaN) ? written.slice(0, -1) : written;
  const averageLogProbability = chances.mean(written.at(-1), tokens.length);
  if (!withTimes || !settings.alignment_heads) return { tokens, averageLogProbability };
  if (!cross_attentions?.[0]?.length) throw withoutTimes();
  const attention = { steps: cross_attentions, heads: settings.alignment_heads, given: beginning.length };
  return {
    tokens,
    averageLogProbability,
    times: tokenTimes({ ...attention, length: Math.floor(withTimes.frames / 2) }),
  };
}

/** Marks of time are not part of the text. */
async function textOf({ tokenizer, firstMark }: Parts, tokens: readonly number[]): Promise<string> {
  const words = tokens.filter((token) => token < firstMark);
  return words.length === 0 ? "" : String(await tokenizer.call("decode", words, { skip_special_tokens: true }));
}

/** Words with the places of their tokens. */
async function wordsOf({ tokenizer }: Parts, tokens: readonly number[], language: string | undefined) {
  if (tokens.length === 0) return [];
  const name = language && languageName(language);
  const split = await tokenizer.call("combineTokensIntoWords", [...tokens], name);
  const [texts, , places] = split as [string[], number[][], number[][]];
  return texts.map((text, i) => ({ text, at: places[i] ?? [] }));
}

type Looked = { sequences: Tensor; cross_attentions?: Tensor[][] };

function withoutTimes(): ForecourtError {
  const msg = "This model cannot tell words' times: its weights lack the attention that they follow from";
  return new ForecourtError("invalid_input", `${msg}; choose an export whose name ends in _timestamped`, {
    problems: [{ loc: ["body", "chunk_level"], msg, type: "value_error" }],
  });
}
