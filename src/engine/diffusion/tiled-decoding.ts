// Large pictures decoded in overlapping tiles that are blended into one another: memory stays that of one tile.
import { invariant } from "../../core/errors.ts";

/** [channels, height, width]. */
export type Planes = { data: Float32Array; channels: number; height: number; width: number };

export type Tiling = {
  /** Latents along each side of a tile. */
  side: number;
  /** Pixels along each side of a latent. */
  upscale: number;
  decode(tile: Planes): Promise<Planes>;
};

/** Of a tile's side, what it shares with the next one (diffusers' AutoencoderKL, `tile_overlap_factor`). */
const OVERLAP = 0.25;

/** The tiles, their order and their blending are diffusers' `tiled_decode`. */
export async function decodeTiled(latents: Planes, { side, upscale, decode }: Tiling): Promise<Planes> {
  const stride = Math.trunc(side * (1 - OVERLAP));
  const blend = Math.trunc(side * upscale * OVERLAP);
  const kept = side * upscale - blend;
  const whole = emptyPlanes(3, latents.height * upscale, latents.width * upscale);
  let above: Planes[] = [];
  for (let row = 0; row * stride < latents.height; row++) {
    const tiles: Planes[] = [];
    for (let column = 0; column * stride < latents.width; column++) {
      const tile = await decode(cut(latents, { top: row * stride, left: column * stride, side }));
      const [upper, left] = [above[column], tiles[column - 1]];
      if (upper) blendDown(upper, tile, blend);
      if (left) blendAcross(left, tile, blend);
      tiles.push(tile);
      paste(tile, whole, { top: row * kept, left: column * kept, side: kept });
    }
    above = tiles;
  }
  return whole;
}

const emptyPlanes = (channels: number, height: number, width: number): Planes => ({
  data: new Float32Array(channels * height * width),
  channels,
  height,
  width,
});

type Square = { top: number; left: number; side: number };

/** Smaller at the end of the picture. */
function cut(from: Planes, { top, left, side }: Square): Planes {
  const tile = emptyPlanes(from.channels, Math.min(side, from.height - top), Math.min(side, from.width - left));
  eachLine(tile, (channel, y, at) => {
    const start = (channel * from.height + top + y) * from.width + left;
    tile.data.set(from.data.subarray(start, start + tile.width), at);
  });
  return tile;
}

/** What lies beyond the picture is left out. */
function paste(tile: Planes, into: Planes, { top, left, side }: Square): void {
  const width = Math.min(side, tile.width, into.width - left);
  eachLine(tile, (channel, y, at) => {
    if (y >= side || top + y >= into.height || width <= 0) return;
    into.data.set(tile.data.subarray(at, at + width), (channel * into.height + top + y) * into.width + left);
  });
}

function eachLine({ channels, height, width }: Planes, visit: (channel: number, y: number, at: number) => void): void {
  for (let channel = 0; channel < channels; channel++) {
    for (let y = 0; y < height; y++) visit(channel, y, (channel * height + y) * width);
  }
}

/** The first lines of `tile` come out of the last ones of `upper`. */
function blendDown(upper: Planes, tile: Planes, most: number): void {
  invariant(upper.width === tile.width, "tiles of a column are as wide as one another");
  const extent = Math.min(upper.height, tile.height, most);
  eachLine(tile, (channel, y, at) => {
    if (y >= extent) return;
    const from = (channel * upper.height + upper.height - extent + y) * upper.width;
    for (let x = 0; x < tile.width; x++) mix(tile, at + x, upper.data[from + x] ?? 0, y / extent);
  });
}

function blendAcross(left: Planes, tile: Planes, most: number): void {
  const extent = Math.min(left.width, tile.width, most);
  eachLine(tile, (channel, y, at) => {
    const from = (channel * left.height + y) * left.width + left.width - extent;
    for (let x = 0; x < extent; x++) mix(tile, at + x, left.data[from + x] ?? 0, x / extent);
  });
}

function mix({ data }: Planes, at: number, other: number, share: number): void {
  data[at] = other * (1 - share) + (data[at] ?? 0) * share;
}
