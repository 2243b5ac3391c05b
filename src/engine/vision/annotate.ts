// Draws outlines into a picture, each kind of thing in a colour of its own, so that people see where it is.
import type { Pixels } from "../../core/pipeline.ts";
import { createPause } from "../pause.ts";
import { rgbOf } from "../tensor/pixels.ts";

export type Outline = {
  /** Corners, in pixels; it is closed. */
  points: readonly { x: number; y: number }[];
  /** Equal labels have equal colours. */
  label: string;
  /** Whether its inside is tinted. */
  isFilled?: boolean;
};

/** Around a box in fal's form: its upper left corner and its size. */
export const boxOutline = ({ x, y, w, h, label }: Box): Outline => ({
  label,
  points: [
    { x, y },
    { x: x + w, y },
    { x: x + w, y: y + h },
    { x, y: y + h },
  ],
});

type Box = { x: number; y: number; w: number; h: number; label: string };

/** RGB; the picture given stays as it is. */
export async function annotate(picture: Pixels, outlines: readonly Outline[], pause = createPause()): Promise<Pixels> {
  const drawn = await rgbOf(picture, pause);
  const labels = [...new Set(outlines.map(({ label }) => label))];
  const radius = Math.max(1, Math.min(picture.width, picture.height) / STROKES / 2);
  for (const { points, label, isFilled } of outlines) {
    const colour = colourOf(labels.indexOf(label));
    if (isFilled) fillPolygon(drawn, points, { colour, opacity: TINT });
    for (const [at, from] of points.entries()) {
      stroke(drawn, { from, to: points[(at + 1) % points.length] ?? from, radius, colour });
      await pause();
    }
  }
  return drawn;
}

/** Strokes that would lie side by side across the shorter side. */
const STROKES = 160;
/** Of the colour over what is inside. */
const TINT = 0.35;

export type Colour = readonly [number, number, number];
type At = { x: number; y: number };

/** Hues a golden angle apart: neighbours in the list differ the most. */
const colourOf = (index: number): Colour => pureColour((index * 137.508) % 360);

/** The brightest of a hue in degrees: 0 is red, 120 green. */
export function pureColour(hue: number): Colour {
  const channel = (turn: number) => {
    const at = (turn + hue / 30) % 12;
    return Math.round(255 * (0.5 - 0.5 * Math.max(-1, Math.min(at - 3, 9 - at, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}

type Stroke = { from: At; to: At; radius: number; colour: Colour };

/** All pixels whose middle is that near to the line; a pixel's middle is half a pixel from its upper left corner. */
export function stroke(pixels: Pixels, { from, to, radius, colour }: Stroke): void {
  const { width, height } = pixels;
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const square = dx * dx + dy * dy;
  const [top, bottom] = range(from.y, to.y, radius, height);
  const [left, right] = range(from.x, to.x, radius, width);
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const [px, py] = [x + 0.5 - from.x, y + 0.5 - from.y];
      const along = square === 0 ? 0 : Math.min(1, Math.max(0, (px * dx + py * dy) / square));
      if (Math.hypot(px - along * dx, py - along * dy) <= radius) pixels.data.set(colour, (y * width + x) * 3);
    }
  }
}

const range = (a: number, b: number, radius: number, length: number) =>
  [Math.max(0, Math.floor(Math.min(a, b) - radius)), Math.min(length - 1, Math.ceil(Math.max(a, b) + radius))] as const;

/** `opacity`: of the colour over what was there, 0 to 1. */
type Paint = { colour: Colour; opacity: number };

/** What an odd number of edges lies left of is inside. */
export function fillPolygon(pixels: Pixels, points: readonly At[], paint: Paint): void {
  for (let y = 0; y < pixels.height; y++) {
    const crossings = points.flatMap((from, at) => {
      const to = points[(at + 1) % points.length] ?? from;
      const middle = y + 0.5;
      if (from.y <= middle === to.y <= middle) return [];
      return [from.x + ((middle - from.y) * (to.x - from.x)) / (to.y - from.y)];
    });
    const edges = crossings.toSorted((a, b) => a - b);
    for (let i = 0; i + 1 < edges.length; i += 2)
      fillRow(pixels, { y, from: edges[i] ?? 0, to: edges[i + 1] ?? 0, ...paint });
  }
}

type Row = Paint & { y: number; from: number; to: number };

function fillRow({ data, width }: Pixels, { y, from, to, colour, opacity }: Row): void {
  const end = Math.min(width, Math.ceil(to - 0.5));
  for (let x = Math.max(0, Math.ceil(from - 0.5)); x < end; x++) {
    const at = (y * width + x) * 3;
    for (let channel = 0; channel < 3; channel++)
      data[at + channel] = Math.round((1 - opacity) * (data[at + channel] ?? 0) + opacity * (colour[channel] ?? 0));
  }
}
