// A CLIP tokenizer's description (what tokenizer.json holds) from the older vocab.json and merges.txt.

/** A special token as tokenizer_config.json and special_tokens_map.json write it. */
export type SpecialToken = string | { content: string; normalized?: boolean };

export type SpecialTokens = {
  bos_token?: SpecialToken | null;
  eos_token?: SpecialToken | null;
  unk_token?: SpecialToken | null;
  pad_token?: SpecialToken | null;
};

export type ClipVocabulary = {
  /** Content of vocab.json. */
  vocab: Record<string, number>;
  /** Content of merges.txt. */
  merges: string;
  special: SpecialTokens;
};

export const contentOf = (token: SpecialToken) => (typeof token === "string" ? token : token.content);

export const START = "<|startoftext|>";
export const END = "<|endoftext|>";

/** The same parts as transformers' CLIPTokenizer builds from these files. */
export function describeClip({ vocab, merges, special }: ClipVocabulary): object {
  const start = contentOf(special.bos_token ?? START);
  const end = contentOf(special.eos_token ?? END);
  return {
    version: "1.0",
    added_tokens: addedTokens(vocab, special),
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "NFC" },
        { type: "Replace", pattern: { Regex: "\\s+" }, content: " " },
        { type: "Lowercase" },
      ],
    },
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: WORDS }, behavior: "Removed", invert: true },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
      ],
    },
    post_processor: {
      type: "RobertaProcessing",
      sep: [end, vocab[end]],
      cls: [start, vocab[start]],
      trim_offsets: false,
      add_prefix_space: false,
    },
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: "BPE",
      unk_token: contentOf(special.unk_token ?? END),
      continuing_subword_prefix: "",
      end_of_word_suffix: "</w>",
      fuse_unk: false,
      byte_fallback: false,
      vocab,
      merges: mergesOf(merges),
    },
  };
}

/** What counts as one word, before byte pairs: OpenAI's simple_tokenizer.py, as transformers spells it. */
const WORDS = "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";

/**
 * Later entries win, as in transformers: a token that one field describes and another only names is matched in the
 * text as it was typed, not as it was normalised.
 */
function addedTokens(vocab: Record<string, number>, special: SpecialTokens): object[] {
  const { bos_token, eos_token, unk_token, pad_token } = special;
  const tokens = new Map<string, object>();
  for (const token of [bos_token ?? START, eos_token ?? END, unk_token ?? END, pad_token ?? END]) {
    const content = contentOf(token);
    const normalized = typeof token !== "string" && (token.normalized ?? false);
    tokens.set(content, { id: vocab[content], content, special: true, normalized, single_word: false });
  }
  return [...tokens.values()];
}

/** One pair a line below the version line. */
function mergesOf(text: string): [string, string][] {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#version"))
    .map((line) => {
      const [left = "", right = ""] = line.trimEnd().split(" ");
      return [left, right];
    });
}
