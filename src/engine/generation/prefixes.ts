// Keeps what was read of earlier conversations: the next turn of one begins where the last one ended.
import { bytesOfTokens, gatherRows, type KvRow, type KvShape } from "./kv-cache.ts";

export type Prefixes = {
  /**
   * The longest known beginning of these tokens, short of the last one: its scores are still to be computed. What is in
   * a device's memory is taken out, and is the caller's to release.
   */
  find(tokens: readonly number[]): (KvRow & { tokens: number }) | undefined;
  /** Takes over what is in a device's memory. */
  keep(tokens: readonly number[], held: KvRow): void;
};

type Kept = { tokens: readonly number[]; held: KvRow; bytes: number };

/** Shorter beginnings are read again sooner than they are copied. */
const LEAST = 8;

/** Holds at most `bytes`; what was not asked for the longest goes first. */
export function createPrefixes({ shape, bytes: room }: { shape: KvShape; bytes: number }): Prefixes {
  let kept: Kept[] = [];
  const fits = () => kept.reduce((sum, { bytes }) => sum + bytes, 0) <= room;
  return {
    find(tokens) {
      let best: Kept | undefined;
      let most = LEAST - 1;
      for (const each of kept) {
        const common = Math.min(commonLength(each.tokens, tokens), tokens.length - 1);
        // On a device nothing is cut.
        const isCut = common < each.tokens.length;
        if (common > most && !(isCut && each.held.cache.release)) [best, most] = [each, common];
      }
      if (!best) return undefined;
      const others = kept.filter((each) => each !== best);
      kept = best.held.cache.release ? others : [...others, best];
      return { ...best.held, tokens: most };
    },
    keep(tokens, held) {
      const bytes = bytesOfTokens(shape, tokens.length);
      if (bytes > room || tokens.length < LEAST) {
        held.cache.release?.();
        return;
      }
      // A row of a batch would hold the memory of all of its rows.
      const cache = gatherRows([held], shape);
      const isWithin = (each: Kept) => commonLength(each.tokens, tokens) === each.tokens.length;
      for (const each of kept.filter(isWithin)) each.held.cache.release?.();
      kept = [...kept.filter((each) => !isWithin(each)), { tokens, held: { cache, row: 0 }, bytes }];
      while (!fits()) kept.shift()?.held.cache.release?.();
    },
  };
}

function commonLength(a: readonly number[], b: readonly number[]): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a[length] === b[length]) length++;
  return length;
}
