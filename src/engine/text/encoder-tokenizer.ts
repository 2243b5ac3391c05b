// Texts, alone or in pairs, to what an encoder reads: ids and types with the marks around them, as Python's tokenizers.
import type { Assets } from "../../core/pipeline.ts";
import { contentOf } from "./clip-description.ts";
import { openDescription, readDescription } from "./tokenizer.ts";

export type EncodedText = {
  ids: number[];
  /** 0 for the first text of a pair, 1 for the second, where the model tells them apart. */
  types: number[];
};

export type EncoderTokenizer = {
  /** The id that rows of a batch are filled up with. */
  padding: number;
  /** `length`: of ids with the marks; beyond `most` the longer text is cut first, at its end. */
  encode(texts: Texts, most?: number): EncodedText & { length: number };
};

/** One text, or two that belong together. */
export type Texts = readonly [text: string] | readonly [text: string, pair: string];

/**
 * From tokenizer.json, or CLIP's vocab.json and merges.txt, in the weights' root; `lowercases`: texts become lower case
 * before anything else. Throws `weights_missing`.
 */
export async function loadEncoderTokenizer(
  assets: Assets,
  { lowercases = false }: { lowercases?: boolean } = {},
): Promise<EncoderTokenizer> {
  const { description, config, name } = await readDescription(assets, "");
  const library = openDescription({ description: lowercases ? inLowerCase(description) : description, config, name });
  const frames = [1, 2].map((count) => frameOf(library, count));
  const padToken = config.pad_token ?? (description as Described).padding?.pad_token;
  return {
    padding: (padToken && library.token_to_id(contentOf(padToken))) || 0,
    encode(texts, most = Number.POSITIVE_INFINITY) {
      const frame = frames[texts.length - 1] ?? [];
      const marks = frame.filter((part) => "id" in part).length;
      const whole = texts.map((text) => library.encode(text, { add_special_tokens: false }).ids);
      const length = marks + whole.reduce((sum, ids) => sum + ids.length, 0);
      const kept = length > most ? cut(whole, Math.max(0, most - marks)) : whole;
      const ids: number[] = [];
      const types: number[] = [];
      for (const part of frame) {
        const more = "id" in part ? [part.id] : (kept[part.text] ?? []);
        for (const id of more) {
          ids.push(id);
          types.push(part.type);
        }
      }
      return { ids, types, length };
    },
  };
}

/** tokenizer.json says what to pad with where somebody saved it so. */
type Described = { padding?: { pad_token?: string } | null; normalizer?: object | null };

function inLowerCase(description: Described): Described {
  const { normalizer } = description;
  const steps = [{ type: "Lowercase" }, ...(normalizer ? [normalizer] : [])];
  return { ...description, normalizer: { type: "Sequence", normalizers: steps } };
}

type FramePart = ({ id: number } | { text: number }) & { type: number };
type Library = ReturnType<typeof openDescription>;

/** Stand for the texts while the library puts its marks around them; no vocabulary has them. */
const PLACES = ["\u0000first", "\u0000second"];

function frameOf(library: Library, count: number): FramePart[] {
  const [first = "", second = ""] = PLACES;
  const given = count === 1 ? null : [second];
  const framed = library.post_processor?.([first], given, true) ?? { tokens: [] };
  const isRoberta = library.post_processor?.config.type === "RobertaProcessing";
  const parts = framed.tokens.flatMap((token, at): FramePart[] => {
    // RoBERTa knows no types: in Python they are 0, here the library counts them.
    const type = isRoberta ? 0 : (framed.token_type_ids?.[at] ?? 0);
    const text = PLACES.indexOf(token);
    if (text >= 0) return [{ text, type }];
    const id = library.token_to_id(token);
    return id === undefined ? [] : [{ id, type }];
  });
  const missing = PLACES.slice(0, count).flatMap((_, text) =>
    parts.some((part) => "text" in part && part.text === text) ? [] : [{ text, type: 0 }],
  );
  return [...parts, ...missing];
}

/** The strategy "longest first" of tokenizers/src/utils/truncation.rs. */
function cut(texts: readonly number[][], room: number): number[][] {
  const [first = [], second] = texts;
  if (second === undefined) return [first.slice(0, room)];
  const isSwapped = first.length > second.length;
  let short = Math.min(first.length, second.length);
  let long = short > room ? short : Math.max(short, room - short);
  if (short + long > room) {
    short = Math.floor(room / 2);
    long = short + (room % 2);
  }
  return isSwapped ? [first.slice(0, long), second.slice(0, short)] : [first.slice(0, short), second.slice(0, long)];
}
