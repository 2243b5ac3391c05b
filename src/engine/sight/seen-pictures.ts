// Pictures that were seen: their vectors, under numbers beyond every vocabulary. The same picture has the same numbers as
// long as it is remembered, and no other ever gets them, so what was read of one conversation serves no other picture's.

export type SeenPicture = {
  /** Number of its first vector; the others follow. */
  first: number;
  /** [count, width] */
  vectors: Float32Array;
  count: number;
};

export type SeenPictures = {
  find(key: string): SeenPicture | undefined;
  keep(key: string, picture: Omit<SeenPicture, "first">): SeenPicture;
};

/** No vocabulary is as large; 2^53 - 2^32 vectors follow. */
export const BEYOND = 2 ** 32;

/** Holds at most `bytes`; what was not asked for the longest goes first. */
export function createSeenPictures({ bytes: room }: { bytes: number }): SeenPictures {
  const kept = new Map<string, SeenPicture>();
  let next = BEYOND;
  let held = 0;

  function drop(key: string): void {
    held -= kept.get(key)?.vectors.byteLength ?? 0;
    kept.delete(key);
  }
  return {
    find(key) {
      const found = kept.get(key);
      if (!found) return undefined;
      kept.delete(key);
      kept.set(key, found);
      return found;
    },
    keep(key, picture) {
      const known = this.find(key);
      if (known) return known;
      const numbered = { ...picture, first: next };
      next += picture.count;
      kept.set(key, numbered);
      held += picture.vectors.byteLength;
      for (const oldest of kept.keys()) {
        if (held <= room) break;
        drop(oldest);
      }
      return numbered;
    },
  };
}
