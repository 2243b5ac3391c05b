// A square of a picture at any place and angle, as a graph sees it, and the way back (MediaPipe's ImageToTensor and LandmarkProjection).
import type { Pixels } from "../../core/pipeline.ts";

export type Square = {
  /** Its middle and its edge, in pixels of the picture. */
  x: number;
  y: number;
  size: number;
  /** Radians, clockwise as pictures are seen: how its own right is turned against the picture's. */
  angle: number;
};

type At = { x: number; y: number };

/** MediaPipe's RectTransformation for poses. */
const WIDER = 1.25;

/** Around the whole picture. */
export const wholeOf = ({ width, height }: Pick<Pixels, "width" | "height">): Square => ({
  ...{ x: width / 2, y: height / 2, size: Math.max(width, height), angle: 0 },
});

/** Around `middle`, as wide as it is twice to `end`, and turned so that `end` is above it; wider by a quarter. */
export function squareAround(middle: At, end: At): Square {
  const [x, y] = [end.x - middle.x, end.y - middle.y];
  const turn = Math.PI / 2 - Math.atan2(-y, x);
  const angle = turn - 2 * Math.PI * Math.floor((turn + Math.PI) / (2 * Math.PI));
  return { ...middle, size: 2 * Math.hypot(x, y) * WIDER, angle };
}

/** From shares of the square's edges, 0 to 1, to pixels of the picture. */
export function toPicture({ x, y, size, angle }: Square, { x: across, y: down }: At): At {
  const [u, v] = [(across - 0.5) * size, (down - 0.5) * size];
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return { x: x + u * cos - v * sin, y: y + u * sin + v * cos };
}

/** OpenCV's places between pixels, and its colours between steps. */
const [PLACES, STEPS] = [32, 255];

/**
 * RGB in `edge` x `edge` pixels, row by row, 0 to 1; bilinear, black beyond the picture. To the last step as OpenCV's warpPerspective, by
 * which MediaPipe does it: the first pixel lies on the square's corner, not half a pixel within. The models are used to it, and see a body
 * some centimetres elsewhere if it is done otherwise.
 */
export function seenIn(picture: Pixels, square: Square, edge: number): Float32Array {
  const seen = new Float32Array(edge * edge * 3);
  const corner = toPicture(square, { x: 0, y: 0 });
  const step = square.size / edge;
  const [cos, sin] = [Math.cos(square.angle) * step, Math.sin(square.angle) * step];
  const placed = (at: number) => Math.round(at * PLACES) / PLACES;
  for (let row = 0; row < edge; row++)
    for (let column = 0; column < edge; column++) {
      const x = placed(corner.x + column * cos - row * sin);
      const y = placed(corner.y + column * sin + row * cos);
      const [left, top] = [Math.floor(x), Math.floor(y)];
      const to = (row * edge + column) * 3;
      add(picture, left, top, seen, to, (1 - x + left) * (1 - y + top));
      add(picture, left + 1, top, seen, to, (x - left) * (1 - y + top));
      add(picture, left, top + 1, seen, to, (1 - x + left) * (y - top));
      add(picture, left + 1, top + 1, seen, to, (x - left) * (y - top));
    }
  return seen.map((value) => Math.round(value) / STEPS);
}

/** A share of a pixel; a function of plain numbers, since it is called for each corner of each pixel. */
function add(picture: Pixels, x: number, y: number, seen: Float32Array, to: number, share: number): void {
  const { data, channels, width, height } = picture;
  if (x < 0 || y < 0 || x >= width || y >= height) return;
  const from = (y * width + x) * channels;
  const [green, blue] = channels === 1 ? [from, from] : [from + 1, from + 2];
  seen[to] = (seen[to] ?? 0) + (data[from] ?? 0) * share;
  seen[to + 1] = (seen[to + 1] ?? 0) + (data[green] ?? 0) * share;
  seen[to + 2] = (seen[to + 2] ?? 0) + (data[blue] ?? 0) * share;
}
