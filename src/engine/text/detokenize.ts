// Tokens to text as they come: a sign is given out when it is whole, never half of it.
import type { Token } from "./language-tokenizer.ts";

export type Detokenizer = {
  /** The text that this token completes. */
  push(token: Token): string;
  /** What is left; a sign that was begun and not ended becomes U+FFFD. */
  end(): string;
};

/** `begins`: the text starts with the first token, and its first space is dropped where the tokenizer does so. */
export function createDetokenizer({ dropsFirstSpace }: { dropsFirstSpace: boolean }): Detokenizer {
  let decoder = newDecoder();
  let lone: number[] = [];
  let atStart = true;

  const trimmed = (text: string) => {
    if (!atStart || text === "") return text;
    atStart = false;
    return dropsFirstSpace && text.startsWith(" ") ? text.slice(1) : text;
  };
  /** Whole signs of a row of lone bytes; each byte that is part of none becomes U+FFFD once that is certain. */
  const settle = (isOver: boolean) => {
    let text = "";
    while (lone.length > 0) {
      const wanted = lengthOf(lone[0] ?? 0);
      if (!isOver && lone.length < wanted && lone.slice(1).every(isFollowing)) break;
      const sign = lone.slice(0, wanted);
      const read = wanted > 0 && sign.length === wanted ? strict(sign) : undefined;
      text += read ?? "\uFFFD";
      lone = lone.slice(read === undefined ? 1 : wanted);
    }
    return text;
  };
  return {
    push(token) {
      if (token.isLoneByte) {
        lone.push(token.bytes[0] ?? 0);
        return trimmed(settle(false));
      }
      return trimmed(settle(true) + decoder.decode(token.bytes, { stream: true }));
    },
    end() {
      const text = trimmed(settle(true) + decoder.decode());
      decoder = newDecoder();
      return text;
    },
  };
}

const newDecoder = () => new TextDecoder("utf-8", { ignoreBOM: true });
const fatal = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function strict(bytes: number[]): string | undefined {
  try {
    return fatal.decode(Uint8Array.from(bytes));
  } catch {
    return undefined;
  }
}

const isFollowing = (byte: number) => byte >= 0x80 && byte < 0xc0;
/** Bytes of the sign that begins so; 0 for a byte that begins none. */
const lengthOf = (byte: number) =>
  byte < 0x80 ? 1 : byte < 0xc2 ? 0 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : byte < 0xf5 ? 4 : 0;
