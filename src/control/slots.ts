// At most so many at once, in order of arrival.

export type Slots = {
  /** Rejects with the signal's reason when that comes before the turn. */
  take(signal: AbortSignal): Promise<Disposable>;
};

export function createSlots(count: number): Slots {
  let free = count;
  const queue: (() => void)[] = [];
  const give = () => {
    const next = queue.shift();
    if (next) next();
    else free++;
  };
  const slot = (): Disposable => {
    let isHeld = true;
    return {
      [Symbol.dispose]() {
        if (isHeld) give();
        isHeld = false;
      },
    };
  };
  return {
    async take(signal) {
      signal.throwIfAborted();
      if (free > 0) {
        free--;
        return slot();
      }
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const onAbort = () => {
        queue.splice(queue.indexOf(resolve), 1);
        reject(signal.reason);
      };
      queue.push(resolve);
      signal.addEventListener("abort", onAbort, { once: true });
      await promise.finally(() => signal.removeEventListener("abort", onAbort));
      return slot();
    },
  };
}

/** Runs `work` over `items`, at most `limit` at once. The first failure stops the rest and is thrown once all ended. */
export async function forEachAtOnce<T>(
  items: Iterable<T>,
  { limit, signal }: { limit: number; signal: AbortSignal },
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const queue = items[Symbol.iterator]();
  const worker = async () => {
    for (let next = queue.next(); !next.done && !either.aborted; next = queue.next()) {
      try {
        await work(next.value, either);
      } catch (error) {
        failed.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, worker));
  either.throwIfAborted();
}
