// Numbers one after the other, of which nobody knows how many there will be.

type Numbers = Float32Array | Uint32Array | Uint8Array;

export type Growing<Kind extends Numbers> = {
  push(...values: number[]): void;
  length(): number;
  /** All that were pushed. */
  whole(): Kind;
};

export function growing<Kind extends Numbers>(kind: new (length: number) => Kind): Growing<Kind> {
  let kept = new kind(1024);
  let length = 0;
  return {
    push(...values) {
      if (length + values.length > kept.length) {
        const larger = new kind(kept.length * 2);
        larger.set(kept);
        kept = larger;
      }
      for (const value of values) kept[length++] = value;
    },
    length: () => length,
    whole: () => kept.slice(0, length) as Kind,
  };
}
