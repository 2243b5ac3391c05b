// What each token of a language model's vocabulary adds to the text, as bytes.

/** A decoder in tokenizer.json. */
export type DecoderPart = {
  type?: string;
  decoders?: DecoderPart[];
  pattern?: { String?: string; Regex?: string };
  content?: string;
  start?: number;
  replacement?: string;
};

export type Spelling = {
  /** Bytes of an ordinary token, written as the vocabulary writes it. */
  bytes(token: string): Uint8Array;
  /** A lone byte, as vocabularies with a fallback for rare signs have: those in a row that are no UTF-8 are one sign each. */
  isLoneByte(token: string): boolean;
  /** The text's first space is of the writing only. */
  dropsFirstSpace: boolean;
};

/** Undefined for a way of writing that no language model in use has. */
export function spellingOf(decoder: DecoderPart | null | undefined): Spelling | undefined {
  const parts = decoder?.type === "Sequence" ? (decoder.decoders ?? []) : decoder ? [decoder] : [];
  if (parts.some(({ type }) => type === "ByteLevel"))
    return { bytes: bytesOfLetters, isLoneByte: () => false, dropsFirstSpace: false };
  const replaced = parts.flatMap(({ type, pattern, content, replacement }) => {
    if (type === "Replace" && pattern?.String !== undefined) return [[pattern.String, content ?? ""] as const];
    return type === "Metaspace" ? [[replacement ?? "▁", " "] as const] : [];
  });
  if (replaced.length === 0) return undefined;
  const hasBytes = parts.some(({ type }) => type === "ByteFallback");
  const isLoneByte = (token: string) => hasBytes && LONE_BYTE.test(token);
  return {
    isLoneByte,
    bytes: (token) =>
      isLoneByte(token)
        ? Uint8Array.of(Number.parseInt(token.slice(3, 5), 16))
        : utf8.encode(replaced.reduce((text, [from, to]) => text.replaceAll(from, to), token)),
    dropsFirstSpace: parts.some(({ type, content, start }) =>
      type === "Strip" ? content === " " && (start ?? 0) > 0 : type === "Metaspace",
    ),
  };
}

const LONE_BYTE = /^<0x[0-9A-Fa-f]{2}>$/;
const utf8 = new TextEncoder();

/** OpenAI's encoder.py of GPT-2: printable bytes stand for themselves, the others for letters from U+0100 on. */
const letters = new Map<string, number>();
{
  const isPrintable = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  let others = 0x100;
  for (let byte = 0; byte < 256; byte++) letters.set(String.fromCodePoint(isPrintable(byte) ? byte : others++), byte);
}

/** A sign that stands for no byte is itself: added tokens are written so. */
const bytesOfLetters = (token: string) =>
  Uint8Array.from([...token].flatMap((letter) => letters.get(letter) ?? [...utf8.encode(letter)]));
