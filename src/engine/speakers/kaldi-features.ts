// Loudness by band as Kaldi computes it: what models that know voices look at.
import { createPowerSpectrum } from "../tensor/fourier.ts";

/** WeSpeaker's at 16 kHz: 25 ms every 10 ms, 80 bands from 20 Hz to half of the rate. */
const [WINDOW, HOP, SIZE, BANDS] = [400, 160, 512, 80];
const [RATE, LOWEST] = [16_000, 20];
const PREEMPHASIS = 0.97;
/** Samples count as 16 bits. */
const SCALE = 2 ** 15;
/** The smallest step of float32 (torch.finfo(torch.float32).eps). */
const FLOOR = 1.192092955078125e-7;

export const KALDI = { bands: BANDS, framesPerSecond: RATE / HOP };

const mel = (hertz: number) => 1127 * Math.log(1 + hertz / 700);
const hamming = Float64Array.from(
  { length: WINDOW },
  (_, i) => 0.54 - 0.46 * Math.cos((2 * Math.PI * i) / (WINDOW - 1)),
);
/** Triangles by mel, not by hertz. */
const filters = Array.from({ length: BANDS }, (_, band) => {
  const [from, to] = [mel(LOWEST), mel(RATE / 2)];
  const corner = (i: number) => from + ((to - from) * i) / (BANDS + 1);
  const [left, middle, right] = [corner(band), corner(band + 1), corner(band + 2)];
  return Float64Array.from({ length: SIZE / 2 + 1 }, (_, bin) => {
    const at = mel((bin * RATE) / SIZE);
    return Math.max(0, Math.min((at - left) / (middle - left), (right - at) / (right - middle)));
  });
});

/** [frames, 80]; only whole frames, without dither. */
export function kaldiFeatures(samples: Float32Array): { values: Float32Array; frames: number } {
  const frames = samples.length < WINDOW ? 0 : 1 + Math.floor((samples.length - WINDOW) / HOP);
  const values = new Float32Array(frames * BANDS);
  const spectrum = createPowerSpectrum(SIZE);
  const [piece, powers] = [new Float64Array(SIZE), new Float64Array(SIZE / 2 + 1)];
  for (let frame = 0; frame < frames; frame++) {
    fill(piece, samples.subarray(frame * HOP, frame * HOP + WINDOW));
    spectrum(piece, powers);
    for (const [band, weights] of filters.entries()) {
      let sum = 0;
      for (let bin = 0; bin < weights.length; bin++) sum += (weights[bin] ?? 0) * (powers[bin] ?? 0);
      values[frame * BANDS + band] = Math.log(Math.max(FLOOR, sum));
    }
  }
  return { values, frames };
}

/** Without its mean, high frequencies raised, faded at both ends. */
function fill(piece: Float64Array, samples: Float32Array): void {
  let mean = 0;
  for (const sample of samples) mean += sample / WINDOW;
  const centred = (i: number) => ((samples[i] ?? 0) - mean) * SCALE;
  for (let i = 0; i < WINDOW; i++) {
    const before = centred(Math.max(0, i - 1));
    piece[i] = (centred(i) - PREEMPHASIS * before) * (hamming[i] ?? 0);
  }
}
