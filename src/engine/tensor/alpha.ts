// Transparency of pictures: put on, and the part that shows.
import type { Pixels } from "../../core/pipeline.ts";

/** The picture with the grey of another as its transparency; what was transparent stays so. */
export function withAlpha(picture: Pixels, alpha: Pixels): Pixels {
  const { width, height, channels } = picture;
  const data = new Uint8Array(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) data[i * 4 + c] = picture.data[i * channels + (channels === 1 ? 0 : c)] ?? 0;
    const before = channels === 4 ? (picture.data[i * 4 + 3] ?? 255) : 255;
    data[i * 4 + 3] = Math.round(((alpha.data[i] ?? 0) * before) / 255);
  }
  return { data, width, height, channels: 4 };
}

/** The smallest rectangle with all pixels of a grey picture that are at least `threshold`; undefined where none is. */
export function boundsOf({ data, width, height }: Pixels, threshold: number) {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      if ((data[y * width + x] ?? 0) < threshold) continue;
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), y];
    }
  return right < 0 ? undefined : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** Its colours alone; the same picture where it has no transparency. */
export function withoutAlpha(picture: Pixels): Pixels {
  if (picture.channels !== 4) return picture;
  const data = new Uint8Array(picture.width * picture.height * 3);
  for (let i = 0; i < picture.width * picture.height; i++)
    for (let c = 0; c < 3; c++) data[i * 3 + c] = picture.data[i * 4 + c] ?? 0;
  return { ...picture, data, channels: 3 };
}
