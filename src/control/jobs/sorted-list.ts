// A list that stays in order: near-constant work at both ends, binary search in between.

export type SortedList<T> = {
  readonly items: readonly T[];
  add(item: T): void;
  remove(item: T): void;
  /** How many items come before this one, whether it is in the list or not. */
  rank(item: T): number;
};

/** `compare` must tell any two different items apart. */
export function createSortedList<T>(compare: (a: T, b: T) => number): SortedList<T> {
  const items: T[] = [];

  const rank = (item: T) => {
    let low = 0;
    let high = items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = items[middle];
      if (other !== undefined && compare(other, item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  return {
    items,
    rank,
    add(item) {
      const last = items.at(-1);
      if (last === undefined || compare(last, item) < 0) items.push(item);
      else items.splice(rank(item), 0, item);
    },
    remove(item) {
      const at = rank(item);
      const found = items[at];
      if (found === undefined || compare(found, item) !== 0) return;
      if (at === 0) items.shift();
      else items.splice(at, 1);
    },
  };
}
