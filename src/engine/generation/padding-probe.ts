// Tries how a graph keeps rows of different lengths apart when they are read in one step, if it does.
import type { Decoder } from "./decoder.ts";
import { emptyCache, gatherRows, type KvCache, type PaddingSide } from "./kv-cache.ts";

/** What lies where nothing is to be looked at; a graph that looks at it answers otherwise. */
const POISON = 30;

/** Quantised graphs differ a little with what is read beside. */
const MOST_APART = 0.1;

/** Read after the beginnings, one after the other. */
const TOKENS = [5, 6];

/**
 * Most graphs mind a mask over padding before the tokens, if they are told the tokens' places. The operator
 * GroupQueryAttention of many exports takes the mask for a length, as if the padding were behind them. Undefined for a
 * graph that does neither, or keeps its keys and values on the device. Reads a dozen tokens.
 */
export async function paddingOf(decoder: Decoder): Promise<PaddingSide | undefined> {
  if (decoder.holds) return undefined;
  const begin = async (tokens: number[]) =>
    (await decoder.forward({ tokens: [tokens], cache: emptyCache(decoder.kv, 1) })).cache;
  const begun = [await begin([1]), await begin([2, 3, 4])];
  const alone: Float32Array[] = [];
  for (const cache of begun) alone.push(...(await goOn(decoder, cache)));
  const sides: PaddingSide[] = [...(decoder.takesPositions ? (["before"] as const) : []), "behind"];
  for (const padding of sides) {
    const rows = begun.map((cache) => ({ cache, row: 0 }));
    if (await isAlike(decoder, gatherRows(rows, decoder.kv, { padding, fill: POISON }), alone)) return padding;
  }
  return undefined;
}

/** Scores row by row, of each row one after the other. */
async function goOn(decoder: Decoder, from: KvCache): Promise<Float32Array[]> {
  const scores = from.rows.map((): Float32Array[] => []);
  let cache = from;
  for (const token of TOKENS) {
    const step = await decoder.forward({ tokens: from.rows.map(() => [token]), cache });
    for (const [row, logits] of step.logits.entries()) scores[row]?.push(logits);
    cache = step.cache;
  }
  return scores.flat();
}

/** False also for a graph that fails at it. */
async function isAlike(decoder: Decoder, cache: KvCache, alone: readonly Float32Array[]): Promise<boolean> {
  try {
    const together = await goOn(decoder, cache);
    return alone.every((scores, at) => apart(scores, together[at]) < MOST_APART);
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
