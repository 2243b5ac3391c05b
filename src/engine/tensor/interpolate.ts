// Resizes planes of numbers as torch.nn.functional.interpolate does without antialiasing: what comes out of a network.
import { inPieces, type Pause } from "../pause.ts";

type Size = { width: number; height: number };
export type Plane = Size & { values: Float32Array };
type Mode = "bilinear" | "bicubic";

/** Along one edge, for each target position: where its sources begin, and what each of them weighs. */
export type Lines = { source: number; from: readonly number[]; weights: readonly (readonly number[])[] };

/** Convolution of cubics, a = -0.75 (torch, aten/src/ATen/native/UpSample.h). */
function cubic(distance: number): number {
  const [x, a] = [Math.abs(distance), -0.75];
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/**
 * Middles of pixels lie on each other, or with `align_corners` the first and the last ones alone. Beyond its ends a line goes on
 * with its last values.
 */
export function linesOf(source: number, target: number, mode: Mode, ends: "free" | "aligned" = "free"): Lines {
  const scale = source / target;
  const step = target > 1 ? (source - 1) / (target - 1) : 0;
  const reaches = Array.from({ length: target }, (_, i) => {
    const exact = ends === "aligned" ? i * step : (i + 0.5) * scale - 0.5;
    const at = mode === "bilinear" ? Math.max(0, exact) : exact;
    const floor = Math.floor(at);
    const share = at - floor;
    if (mode === "bilinear") return withinEnds(source, floor, [1 - share, share]);
    return withinEnds(
      source,
      floor - 1,
      [-1, 0, 1, 2].map((place) => cubic(share - place)),
    );
  });
  return { source, from: reaches.map(({ from }) => from), weights: reaches.map(({ weights }) => weights) };
}

/** Weights of positions beyond the ends are those of the ends. */
function withinEnds(source: number, first: number, given: readonly number[]) {
  const within = (at: number) => Math.min(source - 1, Math.max(0, at));
  const from = within(first);
  const weights = new Array<number>(within(first + given.length - 1) - from + 1).fill(0);
  for (const [k, weight] of given.entries())
    weights[within(first + k) - from] = (weights[within(first + k) - from] ?? 0) + weight;
  return { from, weights };
}

/** The first positions alone. */
export const firstOf = ({ from, weights, ...rest }: Lines, count: number): Lines => ({
  ...rest,
  from: from.slice(0, count),
  weights: weights.slice(0, count),
});

/** First the one, then the other of what it gave, in one pass. */
export function after(first: Lines, second: Lines): Lines {
  const from: number[] = [];
  const weights: number[][] = [];
  for (const [at, begin] of second.from.entries()) {
    const start = first.from[begin] ?? 0;
    const sum: number[] = [];
    for (const [i, share] of (second.weights[at] ?? []).entries()) {
      const offset = (first.from[begin + i] ?? 0) - start;
      for (const [k, weight] of (first.weights[begin + i] ?? []).entries())
        sum[offset + k] = (sum[offset + k] ?? 0) + share * weight;
    }
    from.push(start);
    weights.push(Array.from(sum, (each) => each ?? 0));
  }
  return { source: first.source, from, weights };
}

/** `values`: [down.source, across.source] -> [down's targets, across' targets]. */
export async function along(values: Float32Array, { across, down }: { across: Lines; down: Lines }, pause: Pause) {
  const [width, height] = [across.from.length, down.from.length];
  const wide = new Float32Array(width * down.source);
  for (let y = 0; y < down.source; y++)
    for (let x = 0; x < width; x++) {
      const [start, weights] = [y * across.source + (across.from[x] ?? 0), across.weights[x] ?? []];
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += (weights[k] ?? 0) * (values[start + k] ?? 0);
      wide[y * width + x] = sum;
    }
  const resized = new Float32Array(width * height);
  await inPieces({ rows: height, size: width, pause }, (top, bottom) => {
    for (let y = top; y < bottom; y++) {
      const [start, weights] = [down.from[y] ?? 0, down.weights[y] ?? []];
      for (let k = 0; k < weights.length; k++) {
        const [weight, row] = [weights[k] ?? 0, (start + k) * width];
        for (let x = 0; x < width; x++)
          resized[y * width + x] = (resized[y * width + x] ?? 0) + weight * (wide[row + x] ?? 0);
      }
    }
  });
  return resized;
}

type Interpolation = Size & { mode: Mode; pause: Pause };

export async function interpolate({ values, width, height }: Plane, wanted: Interpolation): Promise<Plane> {
  const { mode, pause, ...target } = wanted;
  const lines = { across: linesOf(width, target.width, mode), down: linesOf(height, target.height, mode) };
  return { ...target, values: await along(values, lines, pause) };
}
