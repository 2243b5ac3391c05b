// Pictures and masks of callers as a diffusion model is shown them: of the size to draw, as diffusers prepares them.
import type { Pixels } from "../../core/pipeline.ts";
import { pixelsToPlanes } from "../tensor/pixels.ts";
import { resize } from "../tensor/resize.ts";
import type { Size } from "./image-size.ts";

/** Planes of pictures that somebody still holds: those of a realtime connection come again and again. */
const latest = new WeakMap<Pixels, { size: Size; planes: Float32Array }>();

/** RGB planes in [-1, 1] of a picture of any size; the same memory for the same picture and size. Not to be written to. */
export function fittedPlanes(picture: Pixels, size: Size): Float32Array {
  const known = latest.get(picture);
  if (known && known.size.width === size.width && known.size.height === size.height) return known.planes;
  const planes = planesOf(resize(picture, { ...size, kernel: "lanczos3" }));
  latest.set(picture, { size, planes });
  return planes;
}

/** RGB planes in [-1, 1] of a picture as it is. */
export const planesOf = (picture: Pixels) =>
  pixelsToPlanes(picture, { scale: 2 / 255, mean: [1, 1, 1], deviation: [1, 1, 1] });

/** 1 for each pixel that is at least half white, else 0. */
export function fittedMask(mask: Pixels, size: Size): Uint8Array {
  const { data, channels } = resize(mask, { ...size, kernel: "lanczos3" });
  return Uint8Array.from({ length: size.width * size.height }, (_, i) => {
    const [red = 0, green = red, blue = red] = data.subarray(i * channels, i * channels + Math.min(3, channels));
    return luma(red, green, blue) >= 128 ? 1 : 0;
  });
}

/** ITU-R 601-2, in Pillow's integers. */
const luma = (red: number, green: number, blue: number) => (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
