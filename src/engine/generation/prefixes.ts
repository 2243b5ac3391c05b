// Keeps what was read of earlier conversations: the next turn of one begins where the last one ended.
import { bytesOfTokens, gatherRows, type KvRow, type KvShape } from "./kv-cache.ts";

export type Prefixes = {
  /** The longest known beginning of these tokens, short of the last one: its scores are still to be computed. */
  find(tokens: readonly number[]): (KvRow & { tokens: number }) | undefined;
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
        if (common > most) [best, most] = [each, common];
      }
      if (!best) return undefined;
      kept = [...kept.filter((each) => each !== best), best];
      return { ...best.held, tokens: most };
    },
    keep(tokens, held) {
      const bytes = bytesOfTokens(shape, tokens.length);
      if (bytes > room || tokens.length < LEAST) return;
      // A row of a batch would hold the memory of all of its rows.
      const cache = gatherRows([held], shape);
      kept = [
        ...kept.filter((each) => commonLength(each.tokens, tokens) < each.tokens.length),
        { tokens, held: { cache, row: 0 }, bytes },
      ];
      while (!fits()) kept.shift();
    },
  };
}

function commonLength(a: readonly number[], b: readonly number[]): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a[length] === b[length]) length++;
  return length;
}
