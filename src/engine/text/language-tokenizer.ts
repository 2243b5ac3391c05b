// Text to the tokens of a language model and back, id for id as Python's transformers.
import { ForecourtError } from "../../core/errors.ts";
import type { Assets } from "../../core/pipeline.ts";
import type { TemplateConfig } from "./chat-template.ts";
import { type AddedToken, createHasAtLeast, type Spelled } from "./fewest-tokens.ts";
import { quoting } from "./quoting.ts";
import { type DecoderPart, spellingOf } from "./token-bytes.ts";
import { openDescription } from "./tokenizer.ts";

export type Token = {
  id: number;
  /** What it adds to a text; of a special one its name. */
  bytes: Uint8Array;
  /** Marks the structure of a conversation: no part of the text. */
  isSpecial: boolean;
  /** One byte for want of a better token; see Spelling. */
  isLoneByte: boolean;
};

export type LanguageTokenizer = {
  /** One more than the highest id. */
  size: number;
  /**
   * Names of special tokens in the text become those tokens, but for what `quoted` made of it. `begin`: with what the model
   * wants before a text.
   */
  encode(text: string, options?: { begin?: boolean }): number[];
  /** True only for a text that `encode` makes at least so many tokens of; it takes no time that grows with a longer text's. */
  hasAtLeast(text: string, tokens: number): boolean;
  /** The text as somebody's words: for `encode`, which takes no name in it for a token that marks structure. */
  quoted(text: string): string;
  /** Of an id that the vocabulary does not have: an empty one. */
  token(id: number): Token;
  idOf(name: string): number | undefined;
  /** A text that begins here loses its first space. */
  dropsFirstSpace: boolean;
};

type Description = Omit<Spelled, "added_tokens"> & {
  decoder?: DecoderPart | null;
  added_tokens?: (AddedToken & { id: number; special?: boolean })[];
};

/** From tokenizer.json and tokenizer_config.json in the weights' root. Throws `weights_missing`. */
export async function loadLanguageTokenizer(assets: Assets, config: TemplateConfig): Promise<LanguageTokenizer> {
  const name = "tokenizer.json";
  const description = await assets.json<Description>(name);
  const structure = (description.added_tokens ?? []).filter(({ special }) => special).map(({ content }) => content);
  const { quoted, unquoted, unquoting } = quoting(structure);
  const library = unquoting(openDescription({ description, config, name }));
  const spelling = spellingOf(description.decoder);
  if (!spelling)
    throw new ForecourtError("weights_missing", `${name} writes its tokens in a way that is not known here`);
  const added = new Map((description.added_tokens ?? []).map((token) => [token.id, token]));
  const size = Math.max(0, ...library.get_vocab().values(), ...added.keys()) + 1;
  const known = new Map<number, Token>();
  const make = (id: number): Token => {
    const extra = added.get(id);
    const written = library.id_to_token(id);
    if (extra) return { id, bytes: utf8.encode(extra.content), isSpecial: extra.special === true, isLoneByte: false };
    if (written === undefined) return { id, bytes: NOTHING, isSpecial: true, isLoneByte: false };
    return { id, bytes: spelling.bytes(written), isSpecial: false, isLoneByte: spelling.isLoneByte(written) };
  };
  const token = (id: number): Token => {
    const found = known.get(id) ?? make(id);
    known.set(id, found);
    return found;
  };
  const hasAtLeast = createHasAtLeast({ size, token }, description);
  return {
    size,
    token,
    hasAtLeast: (text, tokens) => hasAtLeast(unquoted(text), tokens),
    dropsFirstSpace: spelling.dropsFirstSpace,
    quoted,
    encode: (text, { begin = false } = {}) => library.encode(text, { add_special_tokens: begin }).ids,
    idOf: (token) => library.token_to_id(token),
  };
}

const utf8 = new TextEncoder();
const NOTHING = new Uint8Array();
