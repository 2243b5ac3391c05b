// The colours of what is cut out, without the background that shines through at its soft edges: blur fusion (M. Forte,
// "Approximate Fast Foreground Colour Estimation", ICIP 2021), with the two radii that BiRefNet's authors use.
import type { Pixels } from "../../core/pipeline.ts";
import type { Pause } from "../pause.ts";
import { boxBlur } from "../tensor/box-blur.ts";

/** Edges of the blur's windows in pixels, first pass and second. */
const WINDOWS = [90, 6] as const;
/** Rows that a band is longer at both ends: half of both windows. */
const CONTEXT = 48;
/** Rows that are computed at once, and pixels of them: memory stays small for large pictures, also for wide ones. */
const [BAND_ROWS, BAND_PIXELS] = [512, 2 ** 22];
/** Against division by zero, as in the paper's code. */
const EPSILON = 1e-5;

type Way = { pause: Pause; bandRows?: number };

/** RGB in the picture's size. `alpha` is grey in the same size, 255 = foreground. */
export async function estimateForeground(
  picture: Pixels,
  alpha: Pixels,
  { pause, bandRows = bandOf(picture) }: Way,
): Promise<Pixels> {
  const { width, height } = picture;
  const data = new Uint8Array(width * height * 3);
  for (let top = 0; top < height; top += bandRows) {
    const bottom = Math.min(height, top + bandRows);
    const [from, to] = [Math.max(0, top - CONTEXT), Math.min(height, bottom + CONTEXT)];
    const size = { width, height: to - from };
    const share = plane(alpha, { from, to, channel: 0 });
    const blurred: Float32Array[] = [];
    for (const window of WINDOWS) blurred.push(boxBlur(share, size, window));
    await pause();
    for (let channel = 0; channel < 3; channel++) {
      const colours = plane(picture, { from, to, channel });
      const estimated = await fuse(colours, share, { size, blurred, pause });
      for (let i = (top - from) * width; i < (bottom - from) * width; i++)
        data[(from * width + i) * 3 + channel] = Math.floor((estimated[i] ?? 0) * 255);
      await pause();
    }
  }
  return { data, width, height, channels: 3 };
}

const bandOf = ({ width }: Pixels) => Math.min(BAND_ROWS, Math.max(CONTEXT, Math.floor(BAND_PIXELS / width)));

type Rows = { from: number; to: number; channel: number };

/** In [0, 1]. */
function plane({ data, width, channels }: Pixels, { from, to, channel }: Rows): Float32Array {
  const values = new Float32Array((to - from) * width);
  let at = from * width * channels + (channels === 1 ? 0 : channel);
  for (let i = 0; i < values.length; i++, at += channels) values[i] = (data[at] ?? 0) / 255;
  return values;
}

type Blur = { size: { width: number; height: number }; blurred: readonly Float32Array[]; pause: Pause };

/** One colour of the foreground; each pass has the colours that the one before found. Loops: closures took 20 times as long. */
async function fuse(image: Float32Array, alpha: Float32Array, { size, blurred, pause }: Blur): Promise<Float32Array> {
  let [front, back] = [image, image];
  for (const [pass, window] of WINDOWS.entries()) {
    const share = blurred[pass] ?? alpha;
    const [before, behind] = [new Float32Array(image.length), new Float32Array(image.length)];
    for (let i = 0; i < image.length; i++) {
      const a = alpha[i] ?? 0;
      before[i] = a * (front[i] ?? 0);
      behind[i] = (1 - a) * (back[i] ?? 0);
    }
    front = boxBlur(before, size, window);
    await pause();
    back = boxBlur(behind, size, window);
    await pause();
    for (let i = 0; i < image.length; i++) {
      const [a, near] = [alpha[i] ?? 0, share[i] ?? 0];
      const found = Math.fround((front[i] ?? 0) / (near + EPSILON));
      const ground = Math.fround((back[i] ?? 0) / (1 - near + EPSILON));
      front[i] = Math.min(1, Math.max(0, found + a * ((image[i] ?? 0) - a * found - (1 - a) * ground)));
      back[i] = ground;
    }
  }
  return front;
}
