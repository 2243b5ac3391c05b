// The grammar of a number's multiples between two bounds: what the digits so far leave when divided says which may follow.
import { divisor } from "./divisor.ts";
import { choice, later, type Node, nothing, oneOf, sequence } from "./grammar.ts";

/** A number as digits with `decimals` of them behind the point. */
type Scaled = { digits: number; decimals: number };

export type Multiples = {
  of: number;
  least: number;
  most: number;
  /** Bounds that are none of the numbers themselves. */
  above: number;
  below: number;
  /** Numbers with a fraction too. */
  hasFraction: boolean;
};

/** Of factors with more decimals no multiples are told from others. */
const MOST_DECIMALS = 6;

/** "left": the factor cannot be kept to; undefined: there are no such numbers. */
export function multiplesIn(wanted: Multiples): Node | "left" | undefined {
  const factor = scaled(wanted.of);
  if (!factor) return "left";
  const options: Node[] = [];
  for (let decimals = 0; decimals <= (wanted.hasFraction ? factor.decimals : 0); decimals++) {
    // x / 10^decimals is a multiple of digits / 10^k exactly where x is one of this.
    const modulus = factor.digits / divisor(factor.digits, 10 ** (factor.decimals - decimals));
    const [from, to] = boundsOf(wanted, decimals);
    const below = from < 0 ? withDigits({ from: Math.max(1, -to), to: -from, modulus, decimals }) : undefined;
    const above = to >= 0 ? withDigits({ from: Math.max(0, from), to, modulus, decimals }) : undefined;
    if (below) options.push(sequence(oneOf("-"), below));
    if (above) options.push(above);
  }
  return options.length > 0 ? choice(...options) : undefined;
}

function scaled(factor: number): Scaled | undefined {
  const [, whole = "", fraction = ""] = /^(\d+)(?:\.(\d+))?$/.exec(String(factor)) ?? [];
  const digits = Number(whole + fraction);
  const isKept = whole !== "" && fraction.length <= MOST_DECIMALS && Number.isSafeInteger(digits) && digits > 0;
  return isKept ? { digits, decimals: fraction.length } : undefined;
}

/** Doubles are exact up to 2^53, which has 16 digits. */
const MOST = 10 ** 15 - 1;

function boundsOf({ least, most, above, below }: Multiples, decimals: number): [from: number, to: number] {
  const exact = (bound: number) => {
    const moved = bound * 10 ** decimals;
    // 0.29 times 100 is 28.999999999999996.
    return Math.abs(moved - Math.round(moved)) < 1e-6 ? Math.round(moved) : moved;
  };
  const from = Math.max(-MOST, Math.ceil(exact(least)), Math.floor(exact(above)) + 1);
  const to = Math.min(MOST, Math.floor(exact(most)), Math.ceil(exact(below)) - 1);
  return [from, to];
}

type Digits = { from: number; to: number; modulus: number; decimals: number };

/** Of 0 or more, each with one digit before the point at least and no more zeros there than that. */
function withDigits({ from, to, modulus, decimals }: Digits): Node | undefined {
  if (from > to) return undefined;
  const walk = createWalk(modulus, decimals);
  const [shortest, longest] = [from, to].map((bound) => Math.max(decimals + 1, String(bound).length));
  if (shortest === undefined || longest === undefined) return undefined;
  const filled = (bound: number, length: number) => String(bound).padStart(length, "0");
  const between = (low: number, high: number, length: number) =>
    walk.between(0, filled(low, length), filled(high, length));
  if (shortest === longest) return between(from, to, longest);
  const isFull = to === 10 ** longest - 1;
  const options = [
    between(from, 10 ** shortest - 1, shortest),
    walk.ofLength(shortest + 1, isFull ? longest : longest - 1),
    isFull ? undefined : between(10 ** (longest - 1), to, longest),
  ].filter((node) => node !== undefined);
  return options.length > 0 ? choice(...options) : undefined;
}

const DIGITS = Array.from({ length: 10 }, (_, digit) => digit);

/** `rest`: what the digits before leave. `left`: how many follow, those behind the point among them. */
function createWalk(modulus: number, decimals: number) {
  const known = new Map<string, Node>();
  const knownAs = (key: string, make: () => Node) => {
    const node = known.get(key) ?? later(make);
    known.set(key, node);
    return node;
  };
  const after = (rest: number, digit: number) => Number((BigInt(rest) * 10n + BigInt(digit)) % BigInt(modulus));
  const pointed = (left: number, node: Node) => (left === decimals && left > 0 ? sequence(oneOf("."), node) : node);
  const taking = (digit: number, node: Node) => sequence(oneOf(String(digit)), node);

  /** Whether digits, as many, make a multiple of it. */
  function isAlive(rest: number, left: number): boolean {
    const [size, of] = [10n ** BigInt(left), BigInt(modulus)];
    return (of - ((BigInt(rest) * size) % of)) % of < size;
  }

  /** Any digits, as many. */
  function free(rest: number, left: number): Node {
    return knownAs(`${rest} ${left}`, () => {
      const alive = DIGITS.filter((digit) => left > 0 && isAlive(after(rest, digit), left - 1));
      const options = alive.map((digit) => taking(digit, free(after(rest, digit), left - 1)));
      return left === 0 ? nothing : pointed(left, choice(...options));
    });
  }

  const isAliveFor = (rest: number, least: number, most: number) =>
    Array.from({ length: most - least + 1 }, (_, at) => least + at).some((left) => isAlive(rest, left));

  /** Any digits, from `least` to `most` of them: one way on for all lengths. */
  function run(rest: number, least: number, most: number): Node {
    return knownAs(`${rest} ${least} ${most}`, () => {
      const [fewer, more] = [Math.max(least - 1, decimals), most - 1];
      const alive = DIGITS.filter((digit) => more >= fewer && isAliveFor(after(rest, digit), fewer, more));
      return choice(
        ...(least <= decimals && isAlive(rest, decimals) ? [free(rest, decimals)] : []),
        ...alive.map((digit) => taking(digit, run(after(rest, digit), fewer, more))),
      );
    });
  }

  return {
    /** All numbers of these lengths; undefined where there are none. */
    ofLength(least: number, most: number): Node | undefined {
      if (least > most) return undefined;
      const alive = DIGITS.slice(1).filter((digit) => isAliveFor(after(0, digit), least - 1, most - 1));
      if (alive.length === 0) return undefined;
      return choice(...alive.map((digit) => taking(digit, run(after(0, digit), least - 1, most - 1))));
    },
    /** Those from `low` to `high`; undefined where there are none. Only along the bounds it goes digit by digit at once. */
    between(rest: number, low: string, high: string): Node | undefined {
      const left = low.length;
      if (/^0*$/.test(low) && /^9*$/.test(high)) return isAlive(rest, left) ? free(rest, left) : undefined;
      const [first, last] = [Number(low[0]), Number(high[0])];
      const options = DIGITS.slice(first, last + 1).flatMap((digit) => {
        const least = digit === first ? low.slice(1) : "0".repeat(left - 1);
        const most = digit === last ? high.slice(1) : "9".repeat(left - 1);
        const node = this.between(after(rest, digit), least, most);
        return node ? [taking(digit, node)] : [];
      });
      return options.length > 0 ? pointed(left, choice(...options)) : undefined;
    },
  };
}
