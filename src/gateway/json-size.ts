// How deep and how wide a JSON text is, told before parsing: both make a small body cost much memory and time.

export type JsonLimits = {
  /** Levels of lists and objects. */
  depth: number;
  /** Commas outside strings: values, give or take one for each list and object. */
  commas: number;
};

/** Which limit a text breaks, if any. Strings are skipped as wholes: most of a large body is one data URI. */
export function brokenLimit(text: string, limits: JsonLimits): keyof JsonLimits | undefined {
  let depth = 0;
  let commas = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: // "
        at = endOfString(text, at);
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > limits.depth) return "depth";
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
        break;
      case 0x2c: // ,
        if (++commas > limits.commas) return "commas";
    }
  }
  return undefined;
}

/** Where the string that begins at `start` has its closing quote; the text's end when it has none. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1))
    if (!isEscaped(text, end)) return end;
  return text.length;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(at - 1 - backslashes) === 0x5c) backslashes++;
  return backslashes % 2 === 1;
}
