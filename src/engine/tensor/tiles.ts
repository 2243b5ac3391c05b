// Pictures larger than what a graph sees at once: cut into overlapping tiles, and the results blended into one.
import { invariant } from "../../core/errors.ts";
import type { Pixels } from "../../core/pipeline.ts";
import { inPieces, type Pause } from "../pause.ts";

type Size = { width: number; height: number };

/** Its place in the picture; all tiles of a picture have one size. */
export type Tile = { left: number; top: number };

type Tiling = {
  /** Pixels that neighbours share at least. */
  overlap: number;
  /** Tiles begin at multiples of this, and the last ones may reach beyond the picture. */
  multiple?: number;
};

/** Row by row; they cover the picture. */
export function tilesOf(picture: Size, tile: Size, tiling: Tiling): Tile[] {
  const lefts = starts(picture.width, tile.width, tiling);
  return starts(picture.height, tile.height, tiling).flatMap((top) => lefts.map((left) => ({ left, top })));
}

function starts(edge: number, part: number, { overlap, multiple = 1 }: Tiling): number[] {
  const whole = Math.ceil(edge / multiple) * multiple;
  if (whole <= part) return [0];
  const step = Math.max(1, Math.floor((part - overlap) / multiple)) * multiple;
  const count = Math.ceil((whole - part) / step) + 1;
  return Array.from({ length: count }, (_, i) => Math.min(i * step, whole - part));
}

/** A part of a picture, mirrored beyond its edges (with the outermost row): a black border would shine through. */
export function mirroredPart(pixels: Pixels, { left, top, width, height }: Tile & Size): Pixels {
  const { channels } = pixels;
  const data = new Uint8Array(width * height * channels);
  const columns = Array.from({ length: width }, (_, x) => mirrored(x + left, pixels.width) * channels);
  for (let y = 0; y < height; y++) {
    const row = mirrored(y + top, pixels.height) * pixels.width * channels;
    for (let x = 0; x < width; x++) {
      const from = row + (columns[x] ?? 0);
      for (let c = 0; c < channels; c++) data[(y * width + x) * channels + c] = pixels.data[from + c] ?? 0;
    }
  }
  return { data, width, height, channels };
}

function mirrored(index: number, length: number): number {
  const folded = ((index % (2 * length)) + 2 * length) % (2 * length);
  return folded < length ? folded : 2 * length - 1 - folded;
}

type Blending = {
  /** Of the picture that was cut into tiles. */
  picture: Size;
  /** Of the tiles, likewise. */
  tile: Size;
  channels: number;
  /** How many pixels come out for one that went in. */
  factor: number;
  overlap: number;
  pause: Pause;
};

export type Canvas = {
  /** In the tiles' order, one after the other. Values are 0..255, row by row, channels interleaved. */
  add(tile: Tile, values: Float32Array): Promise<void>;
  pixels(): Promise<Pixels>;
};

/** Of an overlap, what is dropped at each tile's edge: there a graph sees too little around. The middle is blended. */
const DROPPED = 1 / 4;

/** Tiles fade into one another, so that no seam is seen. Only the rows of one tile are held as numbers. */
export function createCanvas({ picture, tile, channels, factor, overlap, pause }: Blending): Canvas {
  invariant(channels === 1 || channels === 3 || channels === 4, `pictures have 1, 3 or 4 channels, not ${channels}`);
  const size = { width: Math.round(picture.width * factor), height: Math.round(picture.height * factor) };
  const seen = { width: Math.round(tile.width * factor), height: Math.round(tile.height * factor) };
  const data = new Uint8Array(size.width * size.height * channels);
  const band = createBand({ width: size.width, height: seen.height, channels, pause });
  const dropped = Math.floor(overlap * DROPPED * factor);
  const ramp = Math.max(1, overlap * factor - 2 * dropped);
  /** From 0 at a tile's edge to 1; the picture's own edges count in full. */
  const shares = (length: number, fadesIn: boolean, fadesOut: boolean) =>
    Float32Array.from({ length }, (_, at) => {
      const [before, after] = [fadesIn ? at + 1 : Infinity, fadesOut ? length - at : Infinity];
      return Math.min(1, Math.max(0, (Math.min(before, after) - dropped) / ramp));
    });
  return {
    async add({ left, top }, values) {
      const [x0, y0] = [Math.round(left * factor), Math.round(top * factor)];
      await band.moveTo(y0, data, size.height);
      await band.add(values, seen.width, {
        x0,
        across: shares(seen.width, left > 0, left + tile.width < picture.width),
        down: shares(seen.height, top > 0, top + tile.height < picture.height),
      });
    },
    async pixels() {
      await band.moveTo(size.height, data, size.height);
      return { data, ...size, channels };
    },
  };
}

type Placed = { x0: number; across: Float32Array; down: Float32Array };

/** Weighted sums of some rows, that move down the picture; rows that are left behind are finished. */
function createBand({ width, height, channels, pause }: Size & Pick<Blending, "channels" | "pause">) {
  const sums = new Float32Array(width * height * channels);
  const weights = new Float32Array(width * height);
  let top = 0;
  return {
    async moveTo(row: number, data: Uint8Array, lastRow: number) {
      const rows = Math.min(row - top, height);
      if (rows <= 0) return;
      const step = width * channels;
      await inPieces({ rows: Math.min(rows, lastRow - top), size: step, pause }, (from, to) => {
        for (let i = from * step; i < to * step; i++)
          data[top * step + i] = toByte((sums[i] ?? 0) / (weights[Math.floor(i / channels)] || 1));
      });
      for (const [values, step] of [
        [sums, width * channels],
        [weights, width],
      ] as const) {
        values.copyWithin(0, rows * step);
        values.fill(0, (height - rows) * step);
      }
      top = row;
    },
    async add(values: Float32Array, tileWidth: number, { x0, across, down }: Placed) {
      const columns = Math.min(tileWidth, width - x0);
      await inPieces({ rows: height, size: columns * channels, pause }, (begin, end) => {
        for (let y = begin; y < end; y++)
          for (let x = 0; x < columns; x++) {
            const weight = (down[y] ?? 0) * (across[x] ?? 0);
            const to = y * width + x + x0;
            weights[to] = (weights[to] ?? 0) + weight;
            for (let c = 0; c < channels; c++)
              sums[to * channels + c] =
                (sums[to * channels + c] ?? 0) + weight * (values[(y * tileWidth + x) * channels + c] ?? 0);
          }
      });
    },
  };
}

export const toByte = (value: number) => Math.round(Math.min(255, Math.max(0, value)));
