// Pictures larger than what a graph sees at once: cut into overlapping tiles, and the results blended into one.
import { invariant } from "../../core/errors.ts";
import type { Pixels } from "../../core/pipeline.ts";
import type { Size } from "./view.ts";

/** Its place in the picture; all tiles of a picture have one size. */
export type Tile = { left: number; top: number };

/** Tiles that cover the picture, neighbours sharing at least `overlap` pixels; the last ones end with the picture. */
export function tilesOf(picture: Size, tile: Size, overlap: number): Tile[] {
  const lefts = starts(picture.width, tile.width, overlap);
  return starts(picture.height, tile.height, overlap).flatMap((top) => lefts.map((left) => ({ left, top })));
}

function starts(whole: number, part: number, overlap: number): number[] {
  if (whole <= part) return [0];
  const step = Math.max(1, part - overlap);
  const count = Math.ceil((whole - part) / step) + 1;
  return Array.from({ length: count }, (_, i) => Math.round((i * (whole - part)) / (count - 1)));
}

type Blending = {
  /** Of the picture that comes out. */
  size: Size;
  channels: number;
  /** How many pixels come out for one that went in. */
  factor: number;
  overlap: number;
};

export type Canvas = {
  /** Values are 0..255, row by row, channels interleaved. */
  add(tile: Tile, values: Float32Array, tileSize: Size): void;
  pixels(): Pixels;
};

/** In overlaps each tile counts less the nearer its edge is, so that no seam is seen. */
export function createCanvas({ size, channels, factor, overlap }: Blending): Canvas {
  const sums = new Float32Array(size.width * size.height * channels);
  const weights = new Float32Array(size.width * size.height);
  const ramp = Math.max(1, overlap * factor);
  const share = (at: number, length: number) => Math.min(1, (at + 1) / ramp, (length - at) / ramp);
  return {
    add({ left, top }, values, tileSize) {
      const [x0, y0] = [Math.round(left * factor), Math.round(top * factor)];
      for (let y = 0; y < Math.min(tileSize.height, size.height - y0); y++) {
        const rowShare = share(y, tileSize.height);
        for (let x = 0; x < Math.min(tileSize.width, size.width - x0); x++) {
          const weight = rowShare * share(x, tileSize.width);
          const to = (y + y0) * size.width + x + x0;
          const from = (y * tileSize.width + x) * channels;
          weights[to] = (weights[to] ?? 0) + weight;
          for (let c = 0; c < channels; c++) {
            const at = to * channels + c;
            sums[at] = (sums[at] ?? 0) + weight * (values[from + c] ?? 0);
          }
        }
      }
    },
    pixels() {
      const data = new Uint8Array(sums.length);
      for (let i = 0; i < sums.length; i++) data[i] = toByte((sums[i] ?? 0) / (weights[Math.floor(i / channels)] || 1));
      invariant(
        channels === 1 || channels === 3 || channels === 4,
        `pictures have 1, 3 or 4 channels, not ${channels}`,
      );
      return { data, ...size, channels };
    },
  };
}

export const toByte = (value: number) => Math.round(Math.min(255, Math.max(0, value)));
