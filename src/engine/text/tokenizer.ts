// Wraps @huggingface/tokenizers: text to the ids that a CLIP text encoder reads, id for id as Python's transformers.
import { Tokenizer as Library } from "@huggingface/tokenizers";
import { ForecourtError, toFailure } from "../../core/errors.ts";
import type { Assets } from "../../core/pipeline.ts";
import { contentOf, describeClip, END, type SpecialToken, type SpecialTokens, START } from "./clip-description.ts";
import { mendLongWords } from "./long-words.ts";
import { asInRust, mendSteps } from "./rust-parity.ts";

export type Encoded = {
  /** Start token, the text's tokens, end token; at most `maxLength`. */
  ids: number[];
  /** Tokens of the text that did not fit. */
  dropped: number;
};

export type Tokenizer = {
  /** Ids that the text encoder reads at once, its marks among them. */
  maxLength: number;
  encode(text: string): Encoded;
  /** `ids` filled up with the padding token. */
  pad(ids: readonly number[], length: number): number[];
  /** The text's own, however many. */
  tokens(text: string): number[];
  /** With the marks around them; at most `room` tokens. */
  marked(tokens: readonly number[]): number[];
  /** Tokens between the marks of one reading, and marks before them. */
  room: number;
  marksBefore: number;
};

type Reading = {
  maxLength: number;
  tokens(text: string): number[];
  before: readonly number[];
  after: readonly number[];
  padding: number;
};

/** A tokenizer from what one kind of text encoder wants around a text. */
export function readingOf({ maxLength, tokens, before, after, padding }: Reading): Tokenizer {
  const room = maxLength - before.length - after.length;
  const marked = (ids: readonly number[]) => [...before, ...ids, ...after];
  return {
    maxLength,
    room,
    marksBefore: before.length,
    tokens,
    marked,
    encode(text) {
      const ids = tokens(text);
      const kept = ids.slice(0, room);
      return { ids: marked(kept), dropped: ids.length - kept.length };
    },
    pad: (ids, length) => [...ids, ...new Array<number>(Math.max(0, length - ids.length)).fill(padding)],
  };
}

/** Positions of every CLIP text encoder; used where the files name no length. */
const CLIP_LENGTH = 77;

type TokenizerConfig = SpecialTokens & { model_max_length?: number };

/**
 * The tokenizer whose files lie in `folder` ("" = the weights' root): tokenizer.json, else vocab.json and merges.txt,
 * with tokenizer_config.json and special_tokens_map.json where present. Throws `weights_missing`.
 */
export async function loadClipTokenizer(assets: Assets, folder: string): Promise<Tokenizer> {
  return createClipTokenizer(await readDescription(assets, folder));
}

/** What loadClipTokenizer's files say; without a tokenizer.json they are taken for CLIP's. Throws `weights_missing`. */
export async function readDescription(assets: Assets, folder: string): Promise<Parts> {
  const path = (name: string) => (folder === "" ? name : `${folder}/${name}`);
  const optional = async <T extends object>(name: string): Promise<Partial<T>> =>
    assets.has(path(name)) ? await assets.json<T>(path(name)) : {};
  const config: TokenizerConfig = {
    ...(await optional<SpecialTokens>("special_tokens_map.json")),
    ...(await optional<TokenizerConfig>("tokenizer_config.json")),
  };
  const description =
    assets.has(path("tokenizer.json")) || !assets.has(path("vocab.json"))
      ? await assets.json<object>(path("tokenizer.json"))
      : describeClip({
          vocab: await assets.json<Record<string, number>>(path("vocab.json")),
          merges: await assets.text(path("merges.txt")),
          special: config,
        });
  return { description, config, name: path("tokenizer") };
}

type Parts = { description: object; config: TokenizerConfig; name: string };

function createClipTokenizer({ description, config, name }: Parts): Tokenizer {
  const library = openDescription({ description, config, name });
  const idOf = (token: SpecialToken) => {
    const id = library.token_to_id(contentOf(token));
    if (id === undefined) throw new ForecourtError("weights_missing", `${name} has no token ${contentOf(token)}`);
    return id;
  };
  const start = idOf(config.bos_token ?? START);
  const end = idOf(config.eos_token ?? END);
  const padding = idOf(config.pad_token ?? END);
  const given = config.model_max_length ?? CLIP_LENGTH;
  // Some files say 1e30 for "not limited".
  const maxLength = given < 1e6 ? given : CLIP_LENGTH;
  return readingOf({
    maxLength,
    tokens: (text) => library.encode(text, { add_special_tokens: false }).ids,
    before: [start],
    after: [end],
    padding,
  });
}

/** What tokenizer.json describes; `name` is for the error. Throws `weights_missing`. */
export function openDescription({ description, config, name }: { description: object; config: object; name: string }) {
  try {
    return mendLongWords(mendSteps(new Library(asInRust(description), config)));
  } catch (cause) {
    throw new ForecourtError("weights_missing", `${name} is not usable: ${toFailure(cause).message}`, { cause });
  }
}
