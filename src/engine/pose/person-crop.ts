// What a top-down pose model sees of one person: the box made wider, in the model's proportions, bent to its size.
import type { Pixels } from "../../core/pipeline.ts";
import type { Box } from "./people.ts";

type Size = { width: number; height: number };

/** As all top-down models of mmpose's school were trained. */
export const PADDING = 1.25;

/** The part of the picture that the model sees: with the box's middle, as little larger as the proportions want, and padded. */
export function frameOf({ x, y, w, h }: Box, { width, height }: Size): Box {
  const ratio = width / height;
  const size = { w: Math.max(w, h * ratio) * PADDING, h: Math.max(h, w / ratio) * PADDING };
  return { x: x + (w - size.w) / 2, y: y + (h - size.h) / 2, ...size };
}

/** Along an edge, in pixels of the picture: where what is seen begins, and how far apart its pixels are. */
export type Edge = { begin: number; step: number };

/**
 * Bilinear, in 8 bits; what lies beyond the picture is black (scipy.ndimage.affine_transform of order 1, as transformers'
 * VitPoseImageProcessor has it).
 */
export function seenOf(picture: Pixels, { across, down, size }: { across: Edge; down: Edge; size: Size }): Pixels {
  const { data, channels, width, height } = picture;
  const columns = between(size.width, across, width);
  const rows = between(size.height, down, height);
  const seen = new Uint8Array(size.width * size.height * channels);
  for (const { at: y, from: top, to: bottom, share: below } of rows)
    for (const { at: x, from: left, to: right, share: beside } of columns)
      for (let channel = 0; channel < channels; channel++) {
        const value = (row: number, column: number) => data[(row * width + column) * channels + channel] ?? 0;
        const upper = (1 - beside) * value(top, left) + beside * value(top, right);
        const lower = (1 - beside) * value(bottom, left) + beside * value(bottom, right);
        seen[(y * size.width + x) * channels + channel] = Math.floor((1 - below) * upper + below * lower + 0.5);
      }
  return { data: seen, ...size, channels };
}

/** Of one edge: each target that lies within the source, and the two pixels that it lies between. */
const between = (count: number, { begin, step }: Edge, length: number) =>
  Array.from({ length: count }, (_, at) => ({ at, place: begin + at * step }))
    .filter(({ place }) => place >= 0 && place <= length - 1)
    .map(({ at, place }) => {
      const from = Math.floor(place);
      return { at, from, to: Math.min(length - 1, from + 1), share: place - from };
    });
