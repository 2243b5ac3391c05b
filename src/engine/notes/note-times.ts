// When a frame is, in seconds.
import { HOP, RATE, WINDOW_FRAMES, WINDOW_SAMPLES } from "./activations.ts";

/** basic_pitch/note_creation.py MAGIC_ALIGNMENT_OFFSET: found by its authors by ear. */
const ALIGNMENT_SECONDS = 0.0018;
/** A window has a little less sound than frames. */
const PER_WINDOW = (HOP / RATE) * (WINDOW_FRAMES - WINDOW_SAMPLES / HOP) + ALIGNMENT_SECONDS;

export const secondsOf = (frame: number): number =>
  (frame * HOP) / RATE - PER_WINDOW * Math.floor(frame / WINDOW_FRAMES);
