// What a text may look like, byte by byte: a context-free grammar of few kinds of nodes.

/** Bit by byte. */
export type ByteSet = Uint32Array;

export type Node =
  | { id: number; is: "byte"; set: ByteSet }
  | { id: number; is: "sequence"; parts: readonly Node[] }
  | { id: number; is: "choice"; options: readonly Node[] }
  /** From `least` to `most` times. */
  | { id: number; is: "repeat"; of: Node; least: number; most: number }
  /** Made when it is first needed: grammars may contain themselves. */
  | { id: number; is: "later"; make: () => Node };

let count = 0;
const nextId = () => ++count;

export const byteIn = (set: ByteSet): Node => ({ id: nextId(), is: "byte", set });
export const sequence = (...parts: Node[]): Node => ({ id: nextId(), is: "sequence", parts });
export const choice = (...options: Node[]): Node =>
  options.length === 1 && options[0] ? options[0] : { id: nextId(), is: "choice", options };
export const repeat = (of: Node, least: number, most = Number.POSITIVE_INFINITY): Node => ({
  ...{ id: nextId(), is: "repeat", of, least, most },
});
export const optional = (node: Node): Node => repeat(node, 0, 1);
export const nothing: Node = sequence();

export function later(make: () => Node): Extract<Node, { is: "later" }> {
  let made: Node | undefined;
  return {
    id: nextId(),
    is: "later",
    make() {
      made ??= make();
      return made;
    },
  };
}

export function bytes(...ranges: (number | readonly [number, number])[]): ByteSet {
  const set = new Uint32Array(8);
  for (const range of ranges) {
    const [from, to] = typeof range === "number" ? [range, range] : range;
    for (let byte = from; byte <= to; byte++) set[byte >>> 5] = (set[byte >>> 5] ?? 0) | (1 << (byte & 31));
  }
  return set;
}

export const hasByte = (set: ByteSet, byte: number) => ((set[byte >>> 5] ?? 0) & (1 << (byte & 31))) !== 0;

const utf8 = new TextEncoder();
/** Exactly this text. */
export const literal = (text: string): Node =>
  sequence(...Array.from(utf8.encode(text), (byte) => byteIn(bytes(byte))));

/** One of these texts; what many begin with alike is there once, so that thousands of them are read at once. */
export const anyOfTexts = (texts: readonly string[]): Node =>
  anyOfRests([...new Set(texts)].map((text) => utf8.encode(text)));

function anyOfRests(texts: readonly Uint8Array[]): Node {
  const [only] = texts;
  if (texts.length === 1 && only) return sequence(...Array.from(only, (byte) => byteIn(bytes(byte))));
  const isWhole = texts.some((text) => text.length === 0);
  const rests = Map.groupBy(
    texts.filter((text) => text.length > 0),
    ([first = 0]) => first,
  );
  return choice(
    ...(isWhole ? [nothing] : []),
    ...[...rests].map(([first, of]) => sequence(byteIn(bytes(first)), anyOfRests(of.map((text) => text.subarray(1))))),
  );
}

/** One of these signs of ASCII. */
export const oneOf = (signs: string): Node => byteIn(bytes(...Array.from(signs, (sign) => sign.charCodeAt(0))));

const following = byteIn(bytes([0x80, 0xbf]));
/** Any one sign beyond ASCII, as UTF-8 writes it: RFC 3629, section 4. */
export const beyondAscii: Node = choice(
  sequence(byteIn(bytes([0xc2, 0xdf])), following),
  sequence(byteIn(bytes(0xe0)), byteIn(bytes([0xa0, 0xbf])), following),
  sequence(byteIn(bytes([0xe1, 0xec], [0xee, 0xef])), following, following),
  sequence(byteIn(bytes(0xed)), byteIn(bytes([0x80, 0x9f])), following),
  sequence(byteIn(bytes(0xf0)), byteIn(bytes([0x90, 0xbf])), following, following),
  sequence(byteIn(bytes([0xf1, 0xf3])), following, following, following),
  sequence(byteIn(bytes(0xf4)), byteIn(bytes([0x80, 0x8f])), following, following),
);
