// MusicGen's order of writing: each codebook of a frame is written one step after the one before it (arXiv 2306.05284, 2.2).

/** Rows are codebooks; of several channels those of one level lie side by side: left 0, right 0, left 1, right 1... */
export type DelayPattern = {
  /** Rows. */
  books: number;
  steps: number;
  /** The frame that a row writes at a step; undefined: it has nothing to say then. */
  frameAt(row: number, step: number): number | undefined;
};

type Layout = { frames: number; books: number; channels: number };

/** `books` is of all channels together. */
export function delayPattern({ frames, books, channels }: Layout): DelayPattern {
  const levels = books / channels;
  return {
    books,
    steps: frames + levels - 1,
    frameAt(row, step) {
      const frame = step - Math.floor(row / channels);
      return frame >= 0 && frame < frames ? frame : undefined;
    },
  };
}
