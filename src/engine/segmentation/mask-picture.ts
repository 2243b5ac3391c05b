// Masks as pictures: black and white, in colours, and on the picture that they are of.
import type { Pixels } from "../../core/pipeline.ts";
import { inPieces, type Pause } from "../pause.ts";
import { withAlpha } from "../tensor/alpha.ts";
import { areaOf, fillRuns, type Runs } from "./runs.ts";

/** Grey: white where any of the masks is. All are of one size, and there is at least one. */
export function maskPicture(masks: readonly Runs[]): Pixels {
  const [first] = masks;
  if (!first) throw new RangeError("a picture of no masks");
  const { width, height } = first;
  const data = new Uint8Array(width * height);
  for (const mask of masks) fillRuns(data, mask, 255);
  return { data, width, height, channels: 1 };
}

type Cutting = { isTransparent: boolean; pause: Pause };

/** The picture where the mask is white: all else transparent, or black. */
export async function onlyMasked(picture: Pixels, mask: Pixels, { isTransparent, pause }: Cutting): Promise<Pixels> {
  if (isTransparent) return await withAlpha(picture, mask, pause);
  const data = picture.data.slice();
  const { channels, width, height } = picture;
  await inPieces({ rows: height, size: width, pause }, (top, bottom) => {
    for (let at = top * width; at < bottom * width; at++)
      if (mask.data[at] === 0) data.fill(0, at * channels, (at + 1) * channels);
  });
  return { ...picture, data };
}

/** Degrees between one mask's hue and the next one's: the golden angle, so that neighbours in the list differ. */
const TURN = 137.508;

/** Each mask in a colour of its own, small ones over large ones, on black. */
export async function colouredMasks(
  masks: readonly Runs[],
  { width, height }: { width: number; height: number },
  pause: Pause,
): Promise<Pixels> {
  const data = new Uint8Array(width * height * 3);
  const painted = masks.map((mask, at) => ({ mask, colour: colourOf(at * TURN), area: areaOf(mask) }));
  for (const { mask, colour } of painted.toSorted((a, b) => b.area - a.area)) {
    const line = Uint8Array.from({ length: width * 3 }, (_, i) => colour[i % 3] ?? 0);
    await inPieces({ rows: mask.from.length, size: 1, pause }, (first, end) => {
      for (let run = first; run < end; run++) {
        const [from, to] = [mask.from[run] ?? 0, mask.to[run] ?? 0];
        data.set(line.subarray(0, (to - from) * 3), from * 3);
      }
    });
  }
  return { data, width, height, channels: 3 };
}

/** Full colour of a hue in degrees, half as light again as dark: HSL with lightness 0.6. */
function colourOf(hue: number): [number, number, number] {
  const part = (offset: number) => {
    const k = (offset + hue / 30) % 12;
    return Math.round(255 * (0.6 - 0.4 * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [part(0), part(8), part(4)];
}
