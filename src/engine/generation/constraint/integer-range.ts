// The grammar of the integers between two bounds, digit by digit.
import { choice, type Node, oneOf, sequence } from "./grammar.ts";
import { digit, integer, natural } from "./json-grammar.ts";

export type Limits = { least?: number; most?: number };

/** Beyond this many digits no bound is kept to; JSON's numbers are exact up to 2^53, which has 16. */
const MOST_DIGITS = 16;

export function integersIn({ least, most }: Limits): Node {
  const from = Math.ceil(least ?? Number.NEGATIVE_INFINITY);
  const to = Math.floor(most ?? Number.POSITIVE_INFINITY);
  if (from === Number.NEGATIVE_INFINITY && to === Number.POSITIVE_INFINITY) return integer;
  const options: Node[] = [];
  if (from < 0) options.push(sequence(oneOf("-"), naturalsIn(Math.max(1, -to), -from)));
  if (to >= 0) options.push(naturalsIn(Math.max(0, from), to));
  return choice(...options);
}

/** 0 <= from <= to; nothing fits where it is not so. */
function naturalsIn(from: number, to: number): Node {
  if (from <= 1 && to >= 10 ** (MOST_DIGITS - 1)) return from === 0 ? natural : positive;
  const low = String(from);
  const high = Number.isFinite(to) ? String(to) : "9".repeat(Math.max(MOST_DIGITS, low.length));
  const options: Node[] = [];
  for (let length = low.length; length <= high.length; length++) {
    const least = length === low.length ? low : `1${"0".repeat(length - 1)}`;
    const greatest = length === high.length ? high : "9".repeat(length);
    if (least.length === length && least <= greatest) options.push(between(least, greatest));
  }
  return choice(...options);
}

const positive: Node = sequence(
  oneOf("123456789"),
  ...Array.from({ length: MOST_DIGITS - 1 }, () => choice(digit, sequence())),
);

/** Numbers of as many digits. */
function between(low: string, high: string): Node {
  const [first = "", last = ""] = [low[0], high[0]];
  if (low.length === 1) return range(first, last);
  const [lowRest, highRest] = [low.slice(1), high.slice(1)];
  if (first === last) return sequence(range(first, first), between(lowRest, highRest));
  const [zeros, nines] = ["0".repeat(lowRest.length), "9".repeat(lowRest.length)];
  const middle = [Number(first) + 1, Number(last) - 1] as const;
  return choice(
    sequence(range(first, first), between(lowRest, nines)),
    ...(middle[0] <= middle[1]
      ? [sequence(range(String(middle[0]), String(middle[1])), ...Array.from(lowRest, () => digit))]
      : []),
    sequence(range(last, last), between(zeros, highRest)),
  );
}

const range = (first: string, last: string) => oneOf("0123456789".slice(Number(first), Number(last) + 1));
