// FLUX.2's layout of latents: each latent, with all its channels, is a token of a transformer.
import type { Row } from "./condition.ts";
import type { Size } from "./image-size.ts";
import type { LatentLayout } from "./noise-predictor.ts";

/** [channels, height, width]. */
export type LatentPicture = { latents: Float32Array; channels: number; width: number; height: number };

/** [rows, tokens, channels], tokens row by row. */
export const pictureTokens: LatentLayout = {
  pack(latents, [rows, channels, height, width]) {
    const area = height * width;
    return { data: swapped(latents, { rows, outer: channels, inner: area }), shape: [rows, area, channels] };
  },
  unpack: (packed, [rows, channels, height, width]) =>
    swapped(packed, { rows, outer: height * width, inner: channels }),
};

/** [rows, outer, inner] as [rows, inner, outer]. */
function swapped(
  data: Float32Array,
  { rows, outer, inner }: { rows: number; outer: number; inner: number },
): Float32Array {
  const result = new Float32Array(data.length);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    const start = row * outer * inner;
    for (let i = 0; i < inner; i++) {
      for (let o = 0; o < outer; o++) result[at++] = data[start + o * inner + i] ?? 0;
    }
  }
  return result;
}

/** For each token of a picture, row by row. */
export const tokenPositions = ({ width, height }: Size, position: (row: number, column: number) => number[]) =>
  Array.from({ length: height * width }, (_, at) => position(Math.floor(at / width), at % width));

/** The tokens of all pictures, one after the other; undefined for none. */
export function tokensOf(pictures: readonly LatentPicture[]): Row | undefined {
  const [first] = pictures;
  if (!first) return undefined;
  const packed = pictures.map(({ latents, channels, height, width }) =>
    pictureTokens.pack(latents, [1, channels, height, width]),
  );
  const data = new Float32Array(packed.reduce((sum, each) => sum + each.data.length, 0));
  let at = 0;
  for (const each of packed) {
    data.set(each.data, at);
    at += each.data.length;
  }
  return { data, shape: [data.length / first.channels, first.channels] };
}
