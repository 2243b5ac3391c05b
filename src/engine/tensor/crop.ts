// A rectangle of a picture; what lies beyond the picture is filled.
import type { Pixels } from "../../core/pipeline.ts";

type Rectangle = { left: number; top: number; width: number; height: number };

/** `fill` is the value of every channel outside of the picture. */
export function crop(pixels: Pixels, { left, top, width, height }: Rectangle, fill = 0): Pixels {
  const { data, channels } = pixels;
  const cropped = new Uint8Array(width * height * channels).fill(fill);
  const begin = Math.max(0, -left);
  const end = Math.min(width, pixels.width - left);
  for (let y = Math.max(0, -top); y < Math.min(height, pixels.height - top) && begin < end; y++) {
    const from = ((y + top) * pixels.width + left + begin) * channels;
    cropped.set(data.subarray(from, from + (end - begin) * channels), (y * width + begin) * channels);
  }
  return { data: cropped, width, height, channels };
}

/** The largest part from the middle of a picture that has these proportions. */
export function cropTo(proportions: { width: number; height: number }, pixels: Pixels): Pixels {
  const scale = Math.min(pixels.width / proportions.width, pixels.height / proportions.height);
  const width = Math.max(1, Math.round(proportions.width * scale));
  const height = Math.max(1, Math.round(proportions.height * scale));
  const left = Math.floor((pixels.width - width) / 2);
  const top = Math.floor((pixels.height - height) / 2);
  return crop(pixels, { left, top, width, height });
}
