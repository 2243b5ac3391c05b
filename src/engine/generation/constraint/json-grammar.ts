// The grammar of JSON (RFC 8259): values of any kind, and the pieces that schemas put together.
import {
  beyondAscii,
  byteIn,
  bytes,
  choice,
  later,
  literal,
  type Node,
  oneOf,
  optional,
  repeat,
  sequence,
} from "./grammar.ts";

/** Between two words of JSON; bounded, since a model may lose itself in blanks. */
export const blank: Node = repeat(oneOf(" \n\t\r"), 0, 24);

const hex = oneOf("0123456789abcdefABCDEF");
const escaped = sequence(oneOf("\\"), choice(oneOf('"\\/bfnrt'), sequence(oneOf("u"), repeat(hex, 4, 4))));
/** Signs that a string writes as they are. */
export const ascii: readonly string[] = Array.from({ length: 0x60 }, (_, at) => String.fromCharCode(0x20 + at)).filter(
  (sign) => sign !== '"' && sign !== "\\",
);
/** One sign of a string. */
export const sign: Node = choice(byteIn(bytes([0x20, 0x21], [0x23, 0x5b], [0x5d, 0x7f])), beyondAscii, escaped);

export const quoted = (inside: Node): Node => sequence(oneOf('"'), inside, oneOf('"'));
export const text: Node = quoted(repeat(sign, 0));

export const digit: Node = oneOf("0123456789");
/** Digits of a double, and more: longer numbers are noise. */
const digits = repeat(digit, 0, 15);
const whole = choice(oneOf("0"), sequence(oneOf("123456789"), digits));
export const fraction: Node = sequence(
  optional(sequence(oneOf("."), digit, digits)),
  // A double ends at 1e308: what is beyond is read as infinite.
  optional(sequence(oneOf("eE"), optional(oneOf("+-")), digit, optional(digit))),
);
export const natural: Node = whole;
export const integer: Node = sequence(optional(oneOf("-")), whole);
export const number: Node = sequence(integer, fraction);
export const truth: Node = choice(literal("true"), literal("false"));
export const empty: Node = literal("null");

export const value: Node = later(() => choice(text, number, truth, empty, object, array));

const spaced = (node: Node): Node => sequence(blank, node, blank);

/** `items` with commas between. */
export function listOf(items: Node, least = 0, most = Number.POSITIVE_INFINITY): Node {
  if (most <= 0) return sequence(oneOf("["), blank, oneOf("]"));
  const some = sequence(spaced(items), repeat(sequence(oneOf(","), spaced(items)), Math.max(0, least - 1), most - 1));
  return sequence(oneOf("["), least > 0 ? some : choice(blank, some), oneOf("]"));
}

export const member = (name: Node, of: Node): Node => sequence(blank, name, blank, oneOf(":"), blank, of, blank);

export const array: Node = later(() => listOf(value));
const mapOf = (of: Node): Node => {
  const pair = member(text, of);
  return sequence(oneOf("{"), choice(blank, sequence(pair, repeat(sequence(oneOf(","), pair), 0))), oneOf("}"));
};
export const object: Node = later(() => mapOf(value));
