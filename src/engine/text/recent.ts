// Keeps the values of the keys that were asked for last.

export type Recent<Value> = {
  /** The kept value, else what `make` gives; a failed making is not kept. */
  get(key: string, make: () => Promise<Value>): Promise<Value>;
};

/** Holds at most `capacity` values; the one not asked for the longest goes first. */
export function createRecent<Value>(capacity: number): Recent<Value> {
  const kept = new Map<string, Value>();
  return {
    async get(key, make) {
      const known = kept.get(key);
      const value = known ?? (await make());
      kept.delete(key);
      kept.set(key, value);
      const [oldest] = kept.keys();
      if (kept.size > capacity && oldest !== undefined) kept.delete(oldest);
      return value;
    },
  };
}
