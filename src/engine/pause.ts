// Long computations of our own, between which a runner has to hear that a job was cancelled.

/** Milliseconds between two pauses: a turn of the event loop costs next to nothing beside them. */
const EVERY = 50;

/** To be awaited again and again: lets messages in where the last time is long past. Throws the signal's reason. */
export type Pause = () => Promise<void>;

export function createPause(signal: AbortSignal | undefined): Pause {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < EVERY) return;
    // A macrotask: promises alone would let no message in.
    await new Promise<void>((resolve) => setImmediate(resolve));
    last = performance.now();
    signal?.throwIfAborted();
  };
}
