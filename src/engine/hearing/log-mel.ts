// Loudness by time and band, in decibels: what models that hear sounds look at.
import { inPieces, type Pause } from "../pause.ts";
import { createPowerSpectrum } from "../tensor/fourier.ts";
import type { MelFilters } from "./mel-filters.ts";

/** [frames, bands], row by row. */
export type LogMel = { values: Float32Array; frames: number; bands: number };

/** Powers below count as this: -100 dB. */
const FLOOR = 1e-10;

export type Hearing = {
  /** Samples of one frame, a power of two, and between two frames. */
  window: number;
  hop: number;
  filters: MelFilters;
};

/** Frames are centred on their time: the sound is mirrored at both ends, as torch.stft and librosa do. */
export function createLogMel({
  window,
  hop,
  filters: { bands, filters },
}: Hearing): (samples: Float32Array, pause: Pause) => Promise<LogMel> {
  const spectrum = createPowerSpectrum(window);
  const hann = Float64Array.from({ length: window }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / window));
  const [piece, powers] = [new Float64Array(window), new Float64Array(window / 2 + 1)];
  return async (samples, pause) => {
    const frames = 1 + Math.floor(samples.length / hop);
    const values = new Float32Array(frames * bands);
    await inPieces({ rows: frames, size: window, pause }, (first, end) => {
      for (let frame = first; frame < end; frame++) {
        const from = frame * hop - window / 2;
        for (let i = 0; i < window; i++) piece[i] = (samples[mirrored(from + i, samples.length)] ?? 0) * (hann[i] ?? 0);
        spectrum(piece, powers);
        for (const [band, { from: lowest, weights }] of filters.entries()) {
          let sum = 0;
          for (let i = 0; i < weights.length; i++) sum += (weights[i] ?? 0) * (powers[lowest + i] ?? 0);
          values[frame * bands + band] = 10 * Math.log10(Math.max(FLOOR, sum));
        }
      }
    });
    return { values, frames, bands };
  };
}

/** The place that stands for one beyond an end; the last sample itself comes once. */
function mirrored(at: number, length: number): number {
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const within = ((at % period) + period) % period;
  return within < length ? within : period - within;
}
