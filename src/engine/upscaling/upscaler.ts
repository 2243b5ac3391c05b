// Enlarges pictures by a graph that works on colours in [0, 1]: Real-ESRGAN and its kin, and Swin2SR in transformers.js'
// layout. Large pictures go through it tile by tile.
import { ForecourtError, invariant } from "../../core/errors.ts";
import type { Assets, Pixels } from "../../core/pipeline.ts";
import { rasterOf } from "../onnx/planes.ts";
import { createPause, inPieces, type Pause } from "../pause.ts";
import { pixelsToPlanes } from "../tensor/pixels.ts";
import { requirePort, tensorOf } from "../tensor/tensor.ts";
import { createCanvas, mirroredPart, tilesOf } from "../tensor/tiles.ts";

type Wish = {
  /** Edge of a tile in pixels of the given picture; 0 = DEFAULT_TILE. */
  tile: number;
  signal: AbortSignal;
};

export type Upscaler = {
  /** The tile that the graph is bound to, if it is. */
  fixedTile?: { width: number; height: number };
  /** Yields after each tile; its last value is the picture, larger by the graph's factor. Without transparency. */
  enlarge(picture: Pixels, wish: Wish): AsyncGenerator<{ at: number; of: number; enlarged?: Pixels }>;
};

/** Real-ESRGAN's authors advise tiles to save memory; of 256 pixels a network keeps about 1 GB. */
const DEFAULT_TILE = 256;
const SMALLEST_TILE = 64;
/** Neighbours share this; Real-ESRGAN's `tile_pad` is 10 at each side. */
const OVERLAP = 32;
/** Windows of Swin2SR, and what networks with pixel unshuffling or downsampling need. */
const MULTIPLE = 8;
/** Of a picture that comes out: as many as one may have that comes in. */
export const MOST_PIXELS = 64 * 1024 * 1024;

const AS_SHARES = { scale: 1 / 255, mean: [0, 0, 0], deviation: [1, 1, 1] };

export async function loadUpscaler(assets: Assets, { overlap = OVERLAP } = {}): Promise<Upscaler> {
  const graph = await assets.graph("onnx/model.onnx");
  const input = requirePort(graph.inputs, { names: ["pixel_values", "input", "image"], of: "upscaler" });
  const output = requirePort(graph.outputs, { names: ["reconstruction", "output"], of: "upscaler" });
  const [height, width] = input.shape.slice(-2);
  const fixedTile = typeof width === "number" && typeof height === "number" ? { width, height } : undefined;

  async function* enlarge(picture: Pixels, { tile: edge, signal }: Wish): ReturnType<Upscaler["enlarge"]> {
    const tile = fixedTile ?? { width: edgeOf(edge, picture.width), height: edgeOf(edge, picture.height) };
    const tiles = tilesOf(picture, tile, { overlap, multiple: MULTIPLE });
    const pause = createPause(signal);
    let canvas: ReturnType<typeof createCanvas> | undefined;
    for (const [i, place] of tiles.entries()) {
      signal.throwIfAborted();
      const planes = pixelsToPlanes(mirroredPart(picture, { ...place, ...tile }), AS_SHARES);
      const results = await graph.run({ [input.name]: tensorOf(input.dtype, [1, 3, tile.height, tile.width], planes) });
      const found = results[output.name];
      invariant(found, `a run of the graph gives its output ${output.name}`);
      const raster = rasterOf(found, "nchw");
      canvas ??= canvasFor(picture, { tile, factor: raster.width / tile.width, overlap, pause });
      const values = new Float32Array(raster.values.length);
      await inPieces({ rows: values.length, size: 1, pause }, (from, to) => {
        for (let at = from; at < to; at++) values[at] = (raster.values[at] ?? 0) * 255;
      });
      await canvas.add(place, values);
      const enlarged = i === tiles.length - 1 ? await canvas.pixels() : undefined;
      yield { at: i + 1, of: tiles.length, ...(enlarged && { enlarged }) };
    }
  }

  return { enlarge, ...(fixedTile && { fixedTile }) };
}

/** No larger than the picture needs. */
function edgeOf(wished: number, picture: number): number {
  const edge = Math.max(SMALLEST_TILE, wished === 0 ? DEFAULT_TILE : wished);
  return Math.ceil(Math.min(edge, picture) / MULTIPLE) * MULTIPLE;
}

type Piece = { tile: { width: number; height: number }; factor: number; overlap: number; pause: Pause };

function canvasFor(picture: Pixels, piece: Piece) {
  expectSize(picture, piece.factor);
  return createCanvas({ picture, channels: 3, ...piece });
}

/** Throws `invalid_input` for a picture that would not be read again. */
export function expectSize({ width, height }: Pixels, factor: number, field = "image_url"): void {
  if (width * height * factor ** 2 <= MOST_PIXELS) return;
  const most = Math.floor(MOST_PIXELS / factor ** 2);
  const msg = `The image has ${width * height} pixels; at most ${most} are enlarged ${factor} times`;
  const problem = { loc: ["body", field], msg, type: "image_too_large" };
  throw new ForecourtError("invalid_input", `${field}: ${msg}`, { problems: [problem] });
}
