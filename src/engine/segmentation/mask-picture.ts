// Masks as pictures: black and white, in colours, and on the picture that they are of.
import type { Pixels } from "../../core/pipeline.ts";
import { withAlpha } from "../tensor/alpha.ts";
import type { Mask } from "./regions.ts";

/** Grey: white where any of the masks is. All are of one size, and there is at least one. */
export function maskPicture(masks: readonly Mask[]): Pixels {
  const [first] = masks;
  if (!first) throw new RangeError("a picture of no masks");
  const data = new Uint8Array(first.data.length);
  for (const mask of masks) for (const [at, value] of mask.data.entries()) if (value === 1) data[at] = 255;
  return { data, width: first.width, height: first.height, channels: 1 };
}

/** The picture where the mask is white: all else transparent, or black. */
export function onlyMasked(picture: Pixels, mask: Pixels, isTransparent: boolean): Pixels {
  if (isTransparent) return withAlpha(picture, mask);
  const data = picture.data.slice();
  const { channels } = picture;
  for (const [at, value] of mask.data.entries()) if (value === 0) data.fill(0, at * channels, (at + 1) * channels);
  return { ...picture, data };
}

/** Degrees between one mask's hue and the next one's: the golden angle, so that neighbours in the list differ. */
const TURN = 137.508;

/** Each mask in a colour of its own, small ones over large ones, on black. */
export function colouredMasks(masks: readonly Mask[], size: { width: number; height: number }): Pixels {
  const data = new Uint8Array(size.width * size.height * 3);
  const area = ({ data }: Mask) => data.reduce((sum, each) => sum + each, 0);
  const painted = masks.map((mask, at) => ({ mask, colour: colourOf(at * TURN), area: area(mask) }));
  for (const { mask, colour } of painted.toSorted((a, b) => b.area - a.area))
    for (const [at, value] of mask.data.entries()) if (value === 1) data.set(colour, at * 3);
  return { data, ...size, channels: 3 };
}

/** Full colour of a hue in degrees, half as light again as dark: HSL with lightness 0.6. */
function colourOf(hue: number): [number, number, number] {
  const part = (offset: number) => {
    const k = (offset + hue / 30) % 12;
    return Math.round(255 * (0.6 - 0.4 * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [part(0), part(8), part(4)];
}
