// Resizes pictures bit for bit as Python's Pillow does, since vision models were trained on what Pillow gave.
import type { Pixels, ResizeOptions } from "../../core/pipeline.ts";

/** A picture of exactly the given size. Each channel by itself: colour under transparent pixels bleeds. */
export function resize(pixels: Pixels, { width, height, kernel }: ResizeOptions): Pixels {
  if (kernel === "nearest") return nearest(pixels, { width, height });
  const wide = width === pixels.width ? pixels : resizeRows(pixels, windows(pixels.width, width, filters[kernel]));
  if (height === wide.height) return wide;
  // Down the columns is along the rows of the picture turned on its side.
  return transpose(resizeRows(transpose(wide), windows(wide.height, height, filters[kernel])));
}

/** A function of the distance from the centre, in source pixels, and the distance beyond which it is 0. */
type Filter = { reach: number; weight(distance: number): number };

/** Pillow's, src/libImaging/Resample.c; its bicubic has a = -0.5. */
const filters: Record<Exclude<ResizeOptions["kernel"], "nearest">, Filter> = {
  bilinear: { reach: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { reach: 2, weight: (x) => cubic(Math.abs(x), -0.5) },
  lanczos3: { reach: 3, weight: (x) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

function cubic(x: number, a: number): number {
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** Where a target pixel's sources begin, and what each of them weighs in 1 / 2^22. */
type Window = { from: number; weights: number[] };

/** Pillow keeps 8-bit weights as integers of this many fractional bits. */
const ONE = 2 ** 22;

function windows(source: number, target: number, { reach, weight }: Filter): Window[] {
  const scale = source / target;
  // Shrinking widens the filter, so that every source pixel counts.
  const stretch = Math.max(1, scale);
  return Array.from({ length: target }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const from = Math.max(0, Math.trunc(centre - reach * stretch + 0.5));
    const to = Math.min(source, Math.trunc(centre + reach * stretch + 0.5));
    const raw = Array.from({ length: to - from }, (_, k) => weight((from + k - centre + 0.5) / stretch));
    const total = raw.reduce((sum, each) => sum + each, 0);
    return { from, weights: raw.map((each) => roundAwayFromZero((each / total) * ONE)) };
  });
}

const roundAwayFromZero = (value: number) => Math.trunc(value + (value < 0 ? -0.5 : 0.5));

function resizeRows({ data, width, height, channels }: Pixels, targets: readonly Window[]): Pixels {
  const resized = new Uint8Array(targets.length * height * channels);
  for (let y = 0; y < height; y++) {
    const row = data.subarray(y * width * channels, (y + 1) * width * channels);
    for (const [x, { from, weights }] of targets.entries()) {
      const at = (y * targets.length + x) * channels;
      for (let channel = 0; channel < channels; channel++) {
        let sum = ONE / 2;
        for (let k = 0; k < weights.length; k++) {
          sum += (row[(from + k) * channels + channel] ?? 0) * (weights[k] ?? 0);
        }
        resized[at + channel] = Math.min(255, Math.max(0, Math.floor(sum / ONE)));
      }
    }
  }
  return { data: resized, width: targets.length, height, channels };
}

function transpose({ data, width, height, channels }: Pixels): Pixels {
  const turned = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * channels;
      const to = (x * height + y) * channels;
      for (let channel = 0; channel < channels; channel++) turned[to + channel] = data[from + channel] ?? 0;
    }
  }
  return { data: turned, width: height, height: width, channels };
}

function nearest({ data, channels, ...source }: Pixels, { width, height }: { width: number; height: number }): Pixels {
  const picked = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    const row = Math.floor(((y + 0.5) * source.height) / height);
    for (let x = 0; x < width; x++) {
      const from = (row * source.width + Math.floor(((x + 0.5) * source.width) / width)) * channels;
      picked.set(data.subarray(from, from + channels), (y * width + x) * channels);
    }
  }
  return { data: picked, width, height, channels };
}
