// Resizes planes of numbers as Stable Video Diffusion's authors do: blurred first, by as much as they shrink, then by cubics between the corners.
import type { Pause } from "../pause.ts";
import { after, along, type Lines, linesOf, type Plane } from "./interpolate.ts";

type Size = { width: number; height: number };

export async function resizeAntialiased(
  { values, width, height }: Plane,
  wanted: Size & { pause: Pause },
): Promise<Plane> {
  const { pause, ...target } = wanted;
  const lines = { across: blurredLines(width, target.width), down: blurredLines(height, target.height) };
  return { ...target, values: await along(values, lines, pause) };
}

const blurredLines = (source: number, target: number): Lines =>
  after(blur(source, source / target), linesOf(source, target, "bicubic", "aligned"));

/** A Gaussian of two deviations to each side, mirrored at the ends; of what grows hardly more than the pixel itself. */
function blur(source: number, factor: number): Lines {
  const deviation = Math.max((factor - 1) / 2, 0.001);
  const even = Math.trunc(Math.max(4 * deviation, 3));
  const reach = even >> 1;
  const raw = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * deviation ** 2)));
  const total = raw.reduce((sum, each) => sum + each, 0);
  const mirrored = (at: number) => (at < 0 ? -at : at >= source ? 2 * (source - 1) - at : at);
  const from: number[] = [];
  const weights: number[][] = [];
  for (let i = 0; i < source; i++) {
    const first = Math.max(0, Math.min(i - reach, mirrored(i + reach)));
    const last = Math.min(source - 1, Math.max(i + reach, mirrored(i - reach)));
    const own = new Array<number>(last - first + 1).fill(0);
    for (const [k, weight] of raw.entries()) {
      const at = Math.min(source - 1, Math.max(0, mirrored(i - reach + k))) - first;
      own[at] = (own[at] ?? 0) + weight / total;
    }
    from.push(first);
    weights.push(own);
  }
  return { source, from, weights };
}
