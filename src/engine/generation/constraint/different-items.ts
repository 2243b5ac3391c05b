// The grammar of the lists of which no two items are alike, of a few values that are known: what was taken may not come again.
import { choice, later, literal, type Node, nothing, oneOf, sequence } from "./grammar.ts";
import { blank } from "./json-grammar.ts";

/** Each place of a list has a branch for each value that is left. */
const MOST_VALUES = 128;

type Lists = { texts: readonly string[]; least: number; most: number };

/** Undefined: they are too many to be told apart. */
export function differentItems({ texts, least, most }: Lists): Node | undefined {
  const distinct = [...new Set(texts)];
  if (distinct.length > MOST_VALUES) return undefined;
  const items = distinct.map((text) => sequence(blank, literal(text), blank));
  const known = new Map<bigint, Node>();

  /** What may follow those that are taken, a bit for each. */
  function after(taken: bigint, count: number): Node {
    const node = known.get(taken) ?? later(() => following(taken, count));
    known.set(taken, node);
    return node;
  }

  function following(taken: bigint, count: number): Node {
    const options: Node[] = count >= least ? [count === 0 ? blank : nothing] : [];
    const comma = count === 0 ? nothing : oneOf(",");
    if (count < most)
      for (const [at, item] of items.entries()) {
        const bit = 1n << BigInt(at);
        if ((taken & bit) === 0n) options.push(sequence(comma, item, after(taken | bit, count + 1)));
      }
    return choice(...options);
  }

  return sequence(oneOf("["), after(0n, 0), oneOf("]"));
}
