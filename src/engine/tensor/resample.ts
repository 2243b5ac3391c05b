// Changes the rate of a sound, without the mirrored tones that plain interpolation makes.
type Sampled = { samples: Float32Array; rate: number };

/** Zero crossings of the sinc on each side; torchaudio's `lowpass_filter_width` is 6, more is steeper. */
const CROSSINGS = 16;

/** Windowed sinc (Hann), the pass band ending at half of the lower rate. The same memory when the rate is right already. */
export function resample({ samples, rate }: Sampled, wanted: number): Float32Array {
  if (rate === wanted) return samples;
  const scale = Math.min(1, wanted / rate);
  const reach = CROSSINGS / scale;
  const resampled = new Float32Array(Math.ceil((samples.length * wanted) / rate));
  for (let i = 0; i < resampled.length; i++) {
    const centre = (i * rate) / wanted;
    let [sum, total] = [0, 0];
    for (let k = Math.max(0, Math.ceil(centre - reach)); k <= Math.min(samples.length - 1, centre + reach); k++) {
      const distance = (k - centre) * scale;
      const weight = sinc(distance) * (0.5 + 0.5 * Math.cos((Math.PI * distance) / CROSSINGS));
      sum += weight * (samples[k] ?? 0);
      total += weight;
    }
    // Near the ends part of the window has no samples.
    resampled[i] = total === 0 ? 0 : sum / total;
  }
  return resampled;
}

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
