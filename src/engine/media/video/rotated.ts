// Pictures turned by quarters, as cameras that were held upright write into their files.
import type { Pixels } from "../../../core/pipeline.ts";

/** Degrees, clockwise. */
export type Rotation = 0 | 90 | 180 | 270;

export function rotated(pixels: Pixels, rotation: Rotation): Pixels {
  if (rotation === 0) return pixels;
  const { data, width, height, channels } = pixels;
  const isTurned = rotation !== 180;
  const [wide, high] = isTurned ? [height, width] : [width, height];
  const turned = new Uint8Array(data.length);
  for (let row = 0; row < high; row++) {
    for (let column = 0; column < wide; column++) {
      const [fromRow, fromColumn] = sourceOf({ row, column }, { rotation, width, height });
      const from = (fromRow * width + fromColumn) * channels;
      const to = (row * wide + column) * channels;
      for (let channel = 0; channel < channels; channel++) turned[to + channel] = data[from + channel] ?? 0;
    }
  }
  return { data: turned, width: wide, height: high, channels };
}

type Place = { row: number; column: number };
type Turn = { rotation: Rotation; width: number; height: number };

function sourceOf({ row, column }: Place, { rotation, width, height }: Turn): [row: number, column: number] {
  if (rotation === 90) return [height - 1 - column, row];
  if (rotation === 180) return [height - 1 - row, width - 1 - column];
  return [column, width - 1 - row];
}
