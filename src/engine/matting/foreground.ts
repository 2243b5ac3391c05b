// The colours of what is cut out, without the background that shines through at its soft edges: blur fusion (M. Forte,
// "Approximate Fast Foreground Colour Estimation", ICIP 2021), with the two radii that BiRefNet's authors use.
import type { Pixels } from "../../core/pipeline.ts";
import { boxBlur } from "../tensor/box-blur.ts";

/** Edges of the blur's windows in pixels, first pass and second. */
const WINDOWS = [90, 6] as const;
/** Rows that a band is longer at both ends: half of both windows. */
const CONTEXT = 48;
/** Rows that are computed at once: memory stays small for large pictures. */
const BAND_ROWS = 512;
/** Against division by zero, as in the paper's code. */
const EPSILON = 1e-5;

/** RGB in the picture's size. `alpha` is grey in the same size, 255 = foreground. */
export function estimateForeground(picture: Pixels, alpha: Pixels, bandRows = BAND_ROWS): Pixels {
  const { width, height } = picture;
  const data = new Uint8Array(width * height * 3);
  for (let top = 0; top < height; top += bandRows) {
    const bottom = Math.min(height, top + bandRows);
    const [from, to] = [Math.max(0, top - CONTEXT), Math.min(height, bottom + CONTEXT)];
    const size = { width, height: to - from };
    const share = plane(alpha, { from, to, channel: 0 });
    const blurred = WINDOWS.map((window) => boxBlur(share, size, window));
    for (let channel = 0; channel < 3; channel++) {
      const colours = plane(picture, { from, to, channel });
      const estimated = fuse(colours, share, { size, blurred });
      for (let i = (top - from) * width; i < (bottom - from) * width; i++)
        data[(from * width + i) * 3 + channel] = Math.floor((estimated[i] ?? 0) * 255);
    }
  }
  return { data, width, height, channels: 3 };
}

type Rows = { from: number; to: number; channel: number };

/** In [0, 1]. */
function plane({ data, width, channels }: Pixels, { from, to, channel }: Rows): Float32Array {
  const at = channels === 1 ? 0 : channel;
  return Float32Array.from(
    { length: (to - from) * width },
    (_, i) => (data[(from * width + i) * channels + at] ?? 0) / 255,
  );
}

type Blur = { size: { width: number; height: number }; blurred: readonly Float32Array[] };

/** One colour of the foreground; each pass has the colours that the one before found. */
function fuse(image: Float32Array, alpha: Float32Array, { size, blurred }: Blur): Float32Array {
  let [front, back] = [image, image];
  for (const [pass, window] of WINDOWS.entries()) {
    const share = blurred[pass] ?? alpha;
    const [before, behind] = [front, back];
    const nearby = boxBlur(
      alpha.map((a, i) => a * (before[i] ?? 0)),
      size,
      window,
    );
    const around = boxBlur(
      alpha.map((a, i) => (1 - a) * (behind[i] ?? 0)),
      size,
      window,
    );
    front = nearby.map((value, i) => value / ((share[i] ?? 0) + EPSILON));
    back = around.map((value, i) => value / (1 - (share[i] ?? 0) + EPSILON));
    const [found, ground] = [front, back];
    front = image.map((value, i) => {
      const [a, f] = [alpha[i] ?? 0, found[i] ?? 0];
      return Math.min(1, Math.max(0, f + a * (value - a * f - (1 - a) * (ground[i] ?? 0))));
    });
  }
  return front;
}
