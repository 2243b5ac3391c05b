// Transparency of pictures: put on, and the part that shows.
import type { Pixels } from "../../core/pipeline.ts";
import { inPieces, type Pause } from "../pause.ts";

/** The picture with the grey of another as its transparency; what was transparent stays so. */
export async function withAlpha(picture: Pixels, alpha: Pixels, pause: Pause): Promise<Pixels> {
  const { width, height, channels } = picture;
  const data = new Uint8Array(width * height * 4);
  const step = channels === 1 ? 0 : 1;
  await inPieces({ rows: height, size: width * 4, pause }, (top, bottom) => {
    for (let i = top * width, at = i * channels; i < bottom * width; i++, at += channels) {
      for (let c = 0; c < 3; c++) data[i * 4 + c] = picture.data[at + c * step] ?? 0;
      const before = channels === 4 ? (picture.data[at + 3] ?? 255) : 255;
      data[i * 4 + 3] = Math.round(((alpha.data[i] ?? 0) * before) / 255);
    }
  });
  return { data, width, height, channels: 4 };
}

/** The smallest rectangle with all pixels of a grey picture that are at least `threshold`; undefined where none is. */
export function boundsOf({ data, width, height }: Pixels, threshold: number) {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++) {
    const row = data.subarray(y * width, (y + 1) * width);
    const first = row.findIndex((value) => value >= threshold);
    if (first < 0) continue;
    left = Math.min(left, first);
    right = Math.max(
      right,
      row.findLastIndex((value) => value >= threshold),
    );
    [top, bottom] = [Math.min(top, y), y];
  }
  return right < 0 ? undefined : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** One of its channels, by itself. */
export async function channelOf({ data, width, height, channels }: Pixels, channel: number, pause: Pause) {
  const only = new Uint8Array(width * height);
  await inPieces({ rows: height, size: width, pause }, (top, bottom) => {
    for (let i = top * width; i < bottom * width; i++) only[i] = data[i * channels + channel] ?? 0;
  });
  return only;
}

/** Its colours alone; the same picture where it has no transparency. */
export async function withoutAlpha(picture: Pixels, pause: Pause): Promise<Pixels> {
  const { width, height } = picture;
  if (picture.channels !== 4) return picture;
  const data = new Uint8Array(width * height * 3);
  await inPieces({ rows: height, size: width * 3, pause }, (top, bottom) => {
    for (let i = top * width; i < bottom * width; i++)
      for (let c = 0; c < 3; c++) data[i * 3 + c] = picture.data[i * 4 + c] ?? 0;
  });
  return { ...picture, data, channels: 3 };
}
