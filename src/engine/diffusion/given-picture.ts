// Pictures and masks of callers as a diffusion model is shown them: of the size to draw, as diffusers prepares them.
import type { Pixels } from "../../core/pipeline.ts";
import { inPieces, type Pause } from "../pause.ts";
import { pixelsToPlanes } from "../tensor/pixels.ts";
import { resize } from "../tensor/resize.ts";
import type { Size } from "./image-size.ts";

/** Planes of pictures that somebody still holds: those of a realtime connection come again and again. */
const latest = new WeakMap<Pixels, { size: Size; planes: Float32Array }>();

/** RGB planes in [-1, 1] of a picture of any size; the same memory for the same picture and size. Not to be written to. */
export async function fittedPlanes(picture: Pixels, size: Size, pause: Pause): Promise<Float32Array> {
  const known = latest.get(picture);
  if (known && known.size.width === size.width && known.size.height === size.height) return known.planes;
  const planes = planesOf(await resize(picture, { ...size, kernel: "lanczos3", pause }));
  latest.set(picture, { size, planes });
  return planes;
}

/** RGB planes in [-1, 1] of a picture as it is. */
export const planesOf = (picture: Pixels) =>
  pixelsToPlanes(picture, { scale: 2 / 255, mean: [1, 1, 1], deviation: [1, 1, 1] });

/**
 * 1 for each pixel to draw anew, else 0: where it is at least half white; of a mask with transparent parts where it is at
 * least half transparent (OpenAI's masks).
 */
export async function fittedMask(mask: Pixels, size: Size, pause: Pause): Promise<Uint8Array> {
  const { data, channels } = await resize(mask, { ...size, kernel: "lanczos3", pause });
  const byAlpha = hasTransparency(mask);
  const [green, blue] = channels === 1 ? [0, 0] : [1, 2];
  const redraw = new Uint8Array(size.width * size.height);
  await inPieces({ rows: size.height, size: size.width, pause }, (top, bottom) => {
    for (let i = top * size.width, at = i * channels; i < bottom * size.width; i++, at += channels) {
      const isMeant = byAlpha
        ? (data[at + 3] ?? 255) < 128
        : luma(data[at] ?? 0, data[at + green] ?? 0, data[at + blue] ?? 0) >= 128;
      redraw[i] = isMeant ? 1 : 0;
    }
  });
  return redraw;
}

function hasTransparency({ data, channels }: Pixels): boolean {
  if (channels !== 4) return false;
  for (let at = 3; at < data.length; at += 4) if ((data[at] ?? 255) < 255) return true;
  return false;
}

/** ITU-R 601-2, in Pillow's integers. */
const luma = (red: number, green: number, blue: number) => (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
