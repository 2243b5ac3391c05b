// Edges of a picture by Canny's method, pixel for pixel as OpenCV finds them: what ControlNets for edges were trained on.
import type { Pixels } from "../../core/pipeline.ts";
import { inPieces, type Pause } from "../pause.ts";

/** Of the gradient |dx| + |dy| of 8-bit values: edges begin above `high` and go on above `low`. */
export type Thresholds = { low: number; high: number };

/** White lines, one pixel wide, on black; RGB. No blur before: as cv2.Canny(picture, low, high). */
export async function canny(picture: Pixels, thresholds: Thresholds, pause: Pause): Promise<Pixels> {
  const { width, height } = picture;
  const edges = await grown(await thinned(await gradientsOf(picture, pause), thresholds, pause), pause);
  const data = new Uint8Array(width * height * 3);
  await inPieces({ rows: height, size: width, pause }, (top, bottom) => {
    for (let y = top; y < bottom; y++)
      for (let x = 0; x < width; x++)
        if (edges.marks[(y + 1) * edges.stride + x + 1] === EDGE)
          data.fill(255, (y * width + x) * 3, (y * width + x) * 3 + 3);
  });
  return { data, width, height, channels: 3 };
}

/** With a border of zeros, one pixel wide. */
type Gradients = { dx: Int16Array; dy: Int16Array; size: Int32Array; stride: number; rows: number };

/** Sobel's 3 x 3 of the channel in which the gradient is largest; beyond the border the border's pixels go on. */
async function gradientsOf({ data, width, height, channels }: Pixels, pause: Pause): Promise<Gradients> {
  const [stride, rows] = [width + 2, height + 2];
  const [dx, dy] = [new Int16Array(stride * rows), new Int16Array(stride * rows)];
  const size = new Int32Array(stride * rows);
  const row = (y: number) => {
    const [up, down] = [Math.max(0, y - 1) * width, Math.min(height - 1, y + 1) * width];
    for (let x = 0; x < width; x++) {
      const [left, right] = [Math.max(0, x - 1), Math.min(width - 1, x + 1)];
      const to = (y + 1) * stride + x + 1;
      for (let channel = 0; channel < Math.min(3, channels); channel++) {
        const at = (row: number, column: number) => data[(row + column) * channels + channel] ?? 0;
        const middle = y * width;
        const across =
          at(up, right) - at(up, left) + 2 * (at(middle, right) - at(middle, left)) + at(down, right) - at(down, left);
        const along = at(down, left) - at(up, left) + 2 * (at(down, x) - at(up, x)) + at(down, right) - at(up, right);
        const length = Math.abs(across) + Math.abs(along);
        if (channel > 0 && length <= (size[to] ?? 0)) continue;
        [dx[to], dy[to], size[to]] = [across, along, length];
      }
    }
  };
  await inPieces({ rows: height, size: width * channels, pause }, (top, bottom) => {
    for (let y = top; y < bottom; y++) row(y);
  });
  return { dx, dy, size, stride, rows };
}

type Marks = { marks: Uint8Array; stride: number; edges: number[] };

const MAYBE = 1;
const EDGE = 2;

/** tan 22.5°, in OpenCV's fixed point. */
const TANGENT = Math.trunc(Math.SQRT2 * 2 ** 15 - 2 ** 15 + 0.5);

/** Keeps what is largest across its direction, in eight directions; what exceeds `high` is an edge for certain. */
async function thinned(
  { dx, dy, size, stride, rows }: Gradients,
  { low, high }: Thresholds,
  pause: Pause,
): Promise<Marks> {
  const marks = new Uint8Array(size.length);
  const edges: number[] = [];
  const mark = (at: number) => {
    const own = size[at] ?? 0;
    if (own <= Math.floor(low)) return;
    const [before, after, isStrict] = neighbours(at, { across: dx[at] ?? 0, along: dy[at] ?? 0, stride });
    const next = size[after] ?? 0;
    if (own <= (size[before] ?? 0) || own < next || (isStrict && own === next)) return;
    marks[at] = MAYBE;
    if (own > Math.floor(high)) {
      marks[at] = EDGE;
      edges.push(at);
    }
  };
  await inPieces({ rows: rows - 2, size: stride, pause }, (top, bottom) => {
    for (let at = (top + 1) * stride; at < (bottom + 1) * stride; at++) mark(at);
  });
  return { marks, stride, edges };
}

/** The pixels to both sides of an edge through `at`, and whether an equal one counts as larger on the second side too. */
function neighbours(at: number, { across, along, stride }: { across: number; along: number; stride: number }) {
  const x = Math.abs(across);
  const y = Math.abs(along) * 2 ** 15;
  const flat = x * TANGENT;
  if (y < flat) return [at - 1, at + 1, false] as const;
  if (y > flat + x * 2 ** 16) return [at - stride, at + stride, false] as const;
  const slant = (across ^ along) < 0 ? -1 : 1;
  return [at - stride - slant, at + stride + slant, true] as const;
}

/** What touches an edge and may be one is one. */
async function grown({ marks, stride, edges }: Marks, pause: Pause): Promise<Marks> {
  const around = [-stride - 1, -stride, -stride + 1, -1, 1, stride - 1, stride, stride + 1];
  // Each piece works off what lay there when it began, and what that leads to comes after it.
  while (edges.length > 0) {
    const found = edges.splice(0);
    await inPieces({ rows: found.length, size: around.length, pause }, (first, end) => {
      for (const at of found.slice(first, end))
        for (const step of around) {
          if (marks[at + step] !== MAYBE) continue;
          marks[at + step] = EDGE;
          edges.push(at + step);
        }
    });
  }
  return { marks, stride, edges };
}
