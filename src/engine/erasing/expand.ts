// A mask made wider: whatever is near it belongs to it too.
import { inPieces, type Pause } from "../pause.ts";
import type { Mask } from "../segmentation/runs.ts";

/** With all pixels that are at most `reach` pixels away across and down: a square, as OpenCV's and SciPy's dilation by ones. */
export async function expanded(mask: Mask, reach: number, pause: Pause): Promise<Mask> {
  if (reach === 0) return mask;
  const { width, height } = mask;
  const across = await along(mask.data, { lines: height, length: width, step: 1, stride: width, pause }, reach);
  const data = await along(across, { lines: width, length: height, step: width, stride: 1, pause }, reach);
  return { data, width, height };
}

type Lines = { lines: number; length: number; step: number; stride: number; pause: Pause };

async function along(data: Uint8Array, { lines, length, step, stride, pause }: Lines, reach: number) {
  const wider = new Uint8Array(data.length);
  await inPieces({ rows: lines, size: length, pause }, (first, last) => {
    for (let line = first; line < last; line++) {
      let from = 0; // up to here it is filled
      for (let at = 0; at < length; at++) {
        if (!data[line * stride + at * step]) continue;
        const end = Math.min(length, at + reach + 1);
        for (from = Math.max(from, at - reach); from < end; from++) wider[line * stride + from * step] = 1;
      }
    }
  });
  return wider;
}
