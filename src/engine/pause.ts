// Long computations of our own, between which a runner has to hear that a job was cancelled.

/** Milliseconds between two pauses: a turn of the event loop costs next to nothing beside them. */
const EVERY = 50;

/** To be awaited again and again: lets messages in where the last time is long past. Throws the signal's reason. */
export type Pause = () => Promise<void>;

export function createPause(signal?: AbortSignal, every = EVERY): Pause {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < every) return;
    await letIn(signal);
    last = performance.now();
  };
}

/** Lets in what was sent to this process meanwhile. Throws the signal's reason. */
export async function letIn(signal?: AbortSignal): Promise<void> {
  // A macrotask: promises alone would let no message in.
  await new Promise<void>((resolve) => setImmediate(resolve));
  signal?.throwIfAborted();
}

/** Numbers that are worked on between two looks at the clock: a few milliseconds' work. */
const PIECE = 2 ** 18;

/** `size`: numbers of one row. */
type Rows = { rows: number; size: number; pause: Pause };

/** Works on the rows `from` to `to` (not with it) of something large, piece by piece, with pauses between them. */
export async function inPieces({ rows, size, pause }: Rows, work: (from: number, to: number) => void): Promise<void> {
  const step = Math.max(1, Math.floor(PIECE / Math.max(1, size)));
  for (let from = 0; from < rows; from += step) {
    work(from, Math.min(rows, from + step));
    await pause();
  }
}
