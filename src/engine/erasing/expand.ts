// A mask made wider: whatever is near it belongs to it too.
import type { Mask } from "../segmentation/regions.ts";

/** With all pixels that are at most `reach` pixels away across and down: a square, as OpenCV's and SciPy's dilation by ones. */
export function expanded(mask: Mask, reach: number): Mask {
  if (reach === 0) return mask;
  const { width, height } = mask;
  const across = along(mask.data, { lines: height, length: width, step: 1, stride: width }, reach);
  const data = along(across, { lines: width, length: height, step: width, stride: 1 }, reach);
  return { data, width, height };
}

type Lines = { lines: number; length: number; step: number; stride: number };

function along(data: Uint8Array, { lines, length, step, stride }: Lines, reach: number): Uint8Array {
  const wider = new Uint8Array(data.length);
  for (let line = 0; line < lines; line++) {
    let from = 0; // up to here it is filled
    for (let at = 0; at < length; at++) {
      if (!data[line * stride + at * step]) continue;
      const end = Math.min(length, at + reach + 1);
      for (from = Math.max(from, at - reach); from < end; from++) wider[line * stride + from * step] = 1;
    }
  }
  return wider;
}
