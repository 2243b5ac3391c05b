// Tries whether a graph keeps rows of different lengths apart when they are read in one step.
import type { Decoder } from "./decoder.ts";
import { emptyCache, gatherRows, type KvCache } from "./kv-cache.ts";

/** What lies where nothing is to be looked at; a graph that looks at it answers otherwise. */
const POISON = 30;

/**
 * Not every graph can: some take no positions, and the operator GroupQueryAttention of many exports takes the mask for
 * a length, as if the padding were behind the tokens. Quantised graphs differ a little with what is read beside.
 */
const MOST_APART = 0.1;

/** Reads seven tokens. False for a graph that fails at it. */
export async function keepsRowsApart(decoder: Decoder): Promise<boolean> {
  if (!decoder.takesPositions || decoder.holds) return false;
  const read = async (tokens: number[][], cache: KvCache) => await decoder.forward({ tokens, cache });
  const short = (await read([[1]], emptyCache(decoder.kv, 1))).cache;
  const long = (await read([[2, 3, 4]], emptyCache(decoder.kv, 1))).cache;
  const alone = [await read([[5]], short), await read([[5]], long)].flatMap(({ logits }) => logits);
  const both = [short, long].map((cache) => ({ cache, row: 0 }));
  try {
    const { logits } = await read([[5], [5]], gatherRows(both, decoder.kv, POISON));
    return alone.every((scores, row) => apart(scores, logits[row]) < MOST_APART);
  } catch {
    return false;
  }
}

/** Distance, as a share of the length of `a`. */
function apart(a: Float32Array, b: Float32Array | undefined): number {
  let [difference, length] = [0, 0];
  for (const [i, score] of a.entries()) {
    difference += (score - (b?.[i] ?? 0)) ** 2;
    length += score ** 2;
  }
  return Math.sqrt(difference / length);
}
