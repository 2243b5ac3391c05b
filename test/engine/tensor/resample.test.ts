import { expect, test } from "bun:test";
import { createResampler, resample } from "../../../src/engine/tensor/resample.ts";

const noise = (length: number) => Float32Array.from({ length }, (_, i) => ((i * 7919) % 1013) / 506 - 1);
const sinc = (x: number) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** One sample by the formula, each of its weights computed for it. */
function sampleAt(samples: Float32Array, centre: number, scale: number): number {
  const weights = Array.from(samples, (_, k) => {
    const distance = (k - centre) * scale;
    return Math.abs(distance) > 16 ? 0 : sinc(distance) * (0.5 + 0.5 * Math.cos((Math.PI * distance) / 16));
  });
  const total = weights.reduce((sum, each) => sum + each, 0);
  return weights.reduce((sum, weight, k) => sum + weight * (samples[k] ?? 0), 0) / total;
}

/** The last has too many places between two samples for a table of weights. */
const rates = [
  [48_000, 16_000],
  [44_100, 16_000],
  [8000, 24_000],
  [24_000, 22_050],
  [700_001, 48_000],
] as const;

test.each(rates)("from %i to %i samples a second", (rate, wanted) => {
  const samples = noise(Math.round(rate / 100));
  const made = resample({ samples, rate }, wanted);
  expect(made).toHaveLength(Math.ceil((samples.length * wanted) / rate));
  for (const [i, value] of made.entries())
    expect(value).toBeCloseTo(sampleAt(samples, (i * rate) / wanted, Math.min(1, wanted / rate)), 6);
});

test.each(rates)("from %i to %i, piece by piece, is the same", (rate, wanted) => {
  const samples = noise(Math.round(rate / 50));
  for (const size of [1, 37, 1000]) {
    const resampler = createResampler(rate, wanted);
    for (let at = 0; at < samples.length; at += size) resampler.add(samples.subarray(at, at + size));
    expect(resampler.end()).toEqual(resample({ samples, rate }, wanted));
  }
});

test("no sound stays none, and the right rate stays as it is", () => {
  expect(createResampler(8000, 16_000).end()).toHaveLength(0);
  const samples = noise(100);
  expect(resample({ samples, rate: 8000 }, 8000)).toBe(samples);
});
