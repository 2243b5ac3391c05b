// How deep, how wide and how full of escapes a JSON text is, told before parsing: each makes a small body cost much memory and time.

export type JsonLimits = {
  /** Levels of lists and objects. */
  depth: number;
  /** Commas outside strings, and the beginnings of lists and objects: no fewer than there are values. */
  values: number;
  /** Colons outside strings: names of fields, each of which costs as much as ten numbers. */
  colons: number;
  /** Backslashes of strings, each with what it stands before. */
  escapes: number;
};

export type JsonScan = {
  /** Which limit is broken once these bytes have come too, if any. The text comes in UTF-8, piece by piece. */
  feed(piece: Uint8Array): keyof JsonLimits | undefined;
};

/** Strings are skipped as wholes: most of a large body is one data URI. */
export function createJsonScan(limits: JsonLimits): JsonScan {
  let [depth, values, colons, escapes] = [0, 0, 0, 0];
  let [isInString, isEscaped] = [false, false];

  /** Where the string ends that goes on at `start`; the piece's length when it goes on in the next one. */
  const endOfString = (piece: Uint8Array, start: number, strings: Finder): number => {
    let at = isEscaped ? start + 1 : start;
    isEscaped = false;
    for (;;) {
      const end = strings.quote(at);
      const backslash = strings.backslash(at);
      if (end < backslash) {
        isInString = false;
        return end;
      }
      if (backslash === piece.length) return backslash;
      if (++escapes > limits.escapes) return backslash;
      at = backslash + 2;
      if (at <= piece.length) continue;
      isEscaped = true;
      return piece.length;
    }
  };
  return {
    feed(piece) {
      const strings = finderOf(piece);
      for (let at = isInString ? endOfString(piece, 0, strings) + 1 : 0; at < piece.length; at++) {
        switch (piece[at]) {
          case 0x22: // "
            isInString = true;
            at = endOfString(piece, at + 1, strings);
            break;
          case 0x5b: // [
          case 0x7b: // {
            if (++depth > limits.depth) return "depth";
            if (++values > limits.values) return "values";
            break;
          case 0x5d: // ]
          case 0x7d: // }
            depth--;
            break;
          case 0x2c: // ,
            if (++values > limits.values) return "values";
            break;
          case 0x3a: // :
            if (++colons > limits.colons) return "colons";
        }
        if (escapes > limits.escapes) return "escapes";
      }
      return escapes > limits.escapes ? "escapes" : undefined;
    },
  };
}

type Finder = Record<"quote" | "backslash", (from: number) => number>;

/** Where the next one is, else the piece's length. Each place is looked at once, as long as `from` only grows. */
function finderOf(piece: Uint8Array): Finder {
  const next = (byte: number) => {
    let found = -1;
    return (from: number) => {
      if (found < from) {
        const at = from < piece.length ? piece.indexOf(byte, from) : -1;
        found = at < 0 ? piece.length : at;
      }
      return found;
    };
  };
  return { quote: next(0x22), backslash: next(0x5c) };
}
