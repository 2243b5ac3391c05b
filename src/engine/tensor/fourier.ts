// The power in each frequency of a piece of sound, by the fast Fourier transform.
import { invariant } from "../../core/errors.ts";

/** Of `size` samples, a power of two: [size / 2 + 1] powers, |X|², into `powers`. */
export function createPowerSpectrum(size: number): (samples: Float64Array, powers: Float64Array) => void {
  invariant(size > 1 && Number.isInteger(Math.log2(size)), "the transform is of a power of two");
  const bits = Math.log2(size);
  const swapped = Uint32Array.from({ length: size }, (_, i) => reversed(i, bits));
  const cosine = Float64Array.from({ length: size / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / size));
  const sine = Float64Array.from({ length: size / 2 }, (_, i) => -Math.sin((2 * Math.PI * i) / size));
  const [real, imaginary] = [new Float64Array(size), new Float64Array(size)];
  return (samples, powers) => {
    for (let i = 0; i < size; i++) real[i] = samples[swapped[i] ?? 0] ?? 0;
    imaginary.fill(0);
    for (let half = 1; half < size; half *= 2) {
      const step = size / (2 * half);
      for (let from = 0; from < size; from += 2 * half) {
        for (let i = 0; i < half; i++) {
          const [a, b] = [from + i, from + i + half];
          const [c, s] = [cosine[i * step] ?? 0, sine[i * step] ?? 0];
          const [x, y] = [real[b] ?? 0, imaginary[b] ?? 0];
          const [turnedX, turnedY] = [x * c - y * s, x * s + y * c];
          const [ownX, ownY] = [real[a] ?? 0, imaginary[a] ?? 0];
          real[b] = ownX - turnedX;
          imaginary[b] = ownY - turnedY;
          real[a] = ownX + turnedX;
          imaginary[a] = ownY + turnedY;
        }
      }
    }
    for (let i = 0; i <= size / 2; i++) powers[i] = (real[i] ?? 0) ** 2 + (imaginary[i] ?? 0) ** 2;
  };
}

function reversed(value: number, bits: number): number {
  let turned = 0;
  for (let bit = 0; bit < bits; bit++) turned |= ((value >> bit) & 1) << (bits - 1 - bit);
  return turned;
}
