// A graph's planes of numbers as pixels, and what has been done to the picture before undone.
import { invariant } from "../../core/errors.ts";
import type { Pixels } from "../../core/pipeline.ts";
import type { Tensor } from "../../core/tensor.ts";
import { createPause } from "../pause.ts";
import { crop } from "../tensor/crop.ts";
import { resize } from "../tensor/resize.ts";
import { toFloats } from "../tensor/tensor.ts";
import { createCanvas, toByte } from "../tensor/tiles.ts";
import type { Size, View, WholeView } from "./view.ts";

type Layout = "nchw" | "nhwc";

/** Interleaved values, in whatever range. */
export type Raster = Size & { values: Float32Array; channels: number };

/** Height and width are a tensor's last two dimensions, or the two before its channels. */
export function rasterOf(tensor: Tensor, layout: Layout): Raster {
  const [a = 1, b = 1, c = 1] = [1, 1, ...tensor.shape].slice(-3);
  const data = toFloats(tensor);
  if (layout === "nhwc") return { values: data, height: a, width: b, channels: c };
  const [channels, height, width] = [a, b, c];
  if (channels === 1) return { values: data, height, width, channels };
  const area = height * width;
  const values = new Float32Array(data.length);
  for (let channel = 0; channel < channels; channel++)
    for (let i = 0; i < area; i++) values[i * channels + channel] = data[channel * area + i] ?? 0;
  return { values, height, width, channels };
}

/** Values are 0..255 already. */
export function toPixels({ values, width, height, channels }: Raster): Pixels {
  invariant(channels === 1 || channels === 3 || channels === 4, `pictures have 1, 3 or 4 channels, not ${channels}`);
  return { data: Uint8Array.from(values, toByte), width, height, channels };
}

/** What came of the pieces of a picture, in one; each of them `factor` times as large as what was seen. */
export async function join(pieces: Iterable<Raster>, view: Extract<View, { by: "tiles" }>): Promise<Pixels> {
  const pause = createPause();
  let canvas: ReturnType<typeof createCanvas> | undefined;
  let step = 0;
  for (const { values, channels, width } of pieces) {
    const { picture, seen: tile, overlap } = view;
    canvas ??= createCanvas({ picture, tile, channels, factor: width / tile.width, overlap, pause });
    await canvas.add(view.tiles[step++] ?? { left: 0, top: 0 }, values);
  }
  invariant(canvas, "a picture has at least one tile");
  return await canvas.pixels();
}

/** Borders removed, edges that were cut away black, and in the size of the picture that was given. */
export async function asGiven(pixels: Pixels, { picture, seen, content }: WholeView): Promise<Pixels> {
  const [x, y] = [pixels.width / seen.width, pixels.height / seen.height];
  const left = Math.round(content.left * x);
  const top = Math.round(content.top * y);
  const width = Math.max(1, Math.round(content.width * x));
  const height = Math.max(1, Math.round(content.height * y));
  const inner = crop(pixels, { left, top, width, height });
  return await resize(inner, { width: picture.width, height: picture.height, kernel: "bicubic" });
}
