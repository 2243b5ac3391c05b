// FLUX's layout of latents: squares of 2 x 2 latents as the tokens of a transformer.
import type { Row } from "./condition.ts";
import type { Size } from "./image-size.ts";
import type { LatentLayout, LatentShape } from "./noise-predictor.ts";

/** Latents along each side of a token. */
export const PATCH = 2;

/** [rows, tokens, 4 · channels]: tokens row by row, in each of them channel, then its two rows, then its two columns. */
export const patches: LatentLayout = {
  pack(latents, shape) {
    const [rows, channels, height, width] = shape;
    const data = new Float32Array(latents.length);
    eachPatched(shape, (packed, plain) => {
      data[packed] = latents[plain] ?? 0;
    });
    return { data, shape: [rows, (height / PATCH) * (width / PATCH), channels * PATCH * PATCH] };
  },
  unpack(packed, shape) {
    const latents = new Float32Array(packed.length);
    eachPatched(shape, (from, plain) => {
      latents[plain] = packed[from] ?? 0;
    });
    return latents;
  },
};

/** Visits every latent with its place in both layouts. */
function eachPatched(shape: LatentShape, visit: (packed: number, plain: number) => void): void {
  const [rows, channels, height, width] = shape;
  let plain = 0;
  for (let row = 0; row < rows; row++) {
    for (let channel = 0; channel < channels; channel++) {
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const token = (row * (height / PATCH) + (y >> 1)) * (width / PATCH) + (x >> 1);
          visit((token * channels + channel) * PATCH * PATCH + (y & 1) * PATCH + (x & 1), plain++);
        }
      }
    }
  }
}

/** Where each token lies: (0, row, column). */
export function patchPositions({ width, height }: Size): Row {
  const [rows, columns] = [height / PATCH, width / PATCH];
  const data = new Float32Array(rows * columns * 3);
  for (let i = 0; i < rows * columns; i++) data.set([0, Math.floor(i / columns), i % columns], i * 3);
  return { data, shape: [rows * columns, 3] };
}
