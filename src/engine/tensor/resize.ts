// Resizes pictures bit for bit as Python's Pillow does, since vision models were trained on what Pillow gave.
import type { Pixels, ResizeOptions } from "../../core/pipeline.ts";
import { createPause, inPieces, type Pause } from "../pause.ts";

type Way = ResizeOptions & { pause?: Pause };

/** A picture of exactly the given size. Each channel by itself: colour under transparent pixels bleeds. */
export async function resize(pixels: Pixels, { width, height, kernel, pause = createPause() }: Way): Promise<Pixels> {
  if (kernel === "nearest") return await nearest(pixels, { width, height }, pause);
  const wide =
    width === pixels.width ? pixels : await across(pixels, windows(pixels.width, width, filters[kernel]), pause);
  if (height === wide.height) return wide;
  return await down(wide, windows(wide.height, height, filters[kernel]), pause);
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

/** For each target pixel where its sources begin, how many they are, and from `target * most` on what they weigh. */
type Windows = { from: Int32Array; count: Int32Array; weights: Int32Array; most: number };

/** Pillow keeps 8-bit weights as integers of this many fractional bits; a sum of 255 times all of them fits 32 bits. */
const BITS = 22;
const HALF = 2 ** (BITS - 1);

function windows(source: number, target: number, { reach, weight }: Filter): Windows {
  const scale = source / target;
  // Shrinking widens the filter, so that every source pixel counts.
  const stretch = Math.max(1, scale);
  const most = 2 * Math.ceil(reach * stretch) + 1;
  const [from, count, weights] = [new Int32Array(target), new Int32Array(target), new Int32Array(target * most)];
  for (let i = 0; i < target; i++) {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - reach * stretch + 0.5));
    const end = Math.min(source, Math.trunc(centre + reach * stretch + 0.5));
    const raw = Array.from({ length: end - first }, (_, k) => weight((first + k - centre + 0.5) / stretch));
    const total = raw.reduce((sum, each) => sum + each, 0);
    [from[i], count[i]] = [first, raw.length];
    for (const [k, each] of raw.entries()) weights[i * most + k] = roundAwayFromZero((each / total) * 2 ** BITS);
  }
  return { from, count, weights, most };
}

const roundAwayFromZero = (value: number) => Math.trunc(value + (value < 0 ? -0.5 : 0.5));

async function across({ data, width, height, channels }: Pixels, windows: Windows, pause: Pause): Promise<Pixels> {
  const { from, count, weights, most } = windows;
  const target = from.length;
  const resized = new Uint8ClampedArray(target * height * channels);
  await inPieces({ rows: height, size: Math.max(width, target) * channels, pause }, (top, bottom) => {
    let to = top * target * channels;
    for (let y = top; y < bottom; y++)
      for (let x = 0; x < target; x++) {
        const [begin, taps] = [x * most, count[x] ?? 0];
        const first = (y * width + (from[x] ?? 0)) * channels;
        for (let channel = 0; channel < channels; channel++) {
          let sum = HALF;
          for (let k = 0, at = first + channel; k < taps; k++, at += channels)
            sum = (sum + Math.imul(data[at] ?? 0, weights[begin + k] ?? 0)) | 0;
          resized[to++] = sum >> BITS;
        }
      }
  });
  return { data: new Uint8Array(resized.buffer), width: target, height, channels };
}

/** Row by row, so that memory is read as it lies. */
async function down({ data, width, channels }: Pixels, windows: Windows, pause: Pause): Promise<Pixels> {
  const { from, count, weights, most } = windows;
  const [height, row] = [from.length, width * channels];
  const resized = new Uint8ClampedArray(row * height);
  const sums = new Int32Array(row);
  const taps = count.reduce((most, each) => Math.max(most, each), 1);
  await inPieces({ rows: height, size: row * taps, pause }, (top, bottom) => {
    for (let y = top; y < bottom; y++) {
      sums.fill(HALF);
      for (let k = 0; k < (count[y] ?? 0); k++) {
        const [weight, at] = [weights[y * most + k] ?? 0, ((from[y] ?? 0) + k) * row];
        for (let i = 0; i < row; i++) sums[i] = ((sums[i] ?? 0) + Math.imul(data[at + i] ?? 0, weight)) | 0;
      }
      for (let i = 0; i < row; i++) resized[y * row + i] = (sums[i] ?? 0) >> BITS;
    }
  });
  return { data: new Uint8Array(resized.buffer), width, height, channels };
}

type Size = { width: number; height: number };

async function nearest({ data, channels, ...source }: Pixels, { width, height }: Size, pause: Pause): Promise<Pixels> {
  const picked = new Uint8Array(width * height * channels);
  await inPieces({ rows: height, size: width * channels, pause }, (top, bottom) => {
    for (let y = top; y < bottom; y++) {
      const row = Math.floor(((y + 0.5) * source.height) / height) * source.width;
      for (let x = 0; x < width; x++) {
        const from = (row + Math.floor(((x + 0.5) * source.width) / width)) * channels;
        for (let c = 0; c < channels; c++) picked[(y * width + x) * channels + c] = data[from + c] ?? 0;
      }
    }
  });
  return { data: picked, width, height, channels };
}
