// LaMa: fills gaps of a picture from what is around them. Graphs as Carve exported them: colours and mask in, the filled
// picture out, at one size (models.md 3.1).
import { ForecourtError, invariant } from "../../core/errors.ts";
import type { Assets, Pixels } from "../../core/pipeline.ts";
import { rasterOf, toPixels } from "../onnx/planes.ts";
import { inPieces, type Pause } from "../pause.ts";
import { fillRuns, type Mask } from "../segmentation/runs.ts";
import { crop } from "../tensor/crop.ts";
import { pixelsToPlanes } from "../tensor/pixels.ts";
import { resize } from "../tensor/resize.ts";
import { requirePort, tensorOf } from "../tensor/tensor.ts";
import { mirroredPart } from "../tensor/tiles.ts";
import { type Place, placesOf, type Rectangle } from "./places.ts";

export type Lama = {
  /**
   * Yields after each place that is filled. What the mask leaves out stays as it is, bit for bit; a transparency is left
   * alone. The picture's own memory is not written to.
   */
  fill(picture: Pixels, mask: Mask, pause: Pause): AsyncGenerator<{ at: number; of: number }, Pixels>;
};

/** Of graphs for any size: what LaMa's exports are bound to otherwise. */
const USUAL_EDGE = 512;
const AS_SHARES = { scale: 1 / 255, mean: [0, 0, 0], deviation: [1, 1, 1] };

export async function loadLama(assets: Assets): Promise<Lama> {
  const graph = await assets.graph("onnx/model.onnx");
  const colours = portOf(graph.inputs, "image", 3);
  const gap = portOf(graph.inputs, "mask", 1);
  const output = requirePort(graph.outputs, { names: ["output", "inpainted", "result"], of: "eraser" });
  const [height = USUAL_EDGE, width = USUAL_EDGE] = colours.shape.slice(-2);
  const edge = typeof width === "number" ? width : USUAL_EDGE;
  if (typeof height === "number" && height !== edge)
    throw new ForecourtError("misconfigured", `the graph of the eraser sees ${width}x${height} pixels, not a square`);

  async function filled(picture: Pixels, mask: Pixels): Promise<Pixels> {
    const image = pixelsToPlanes(picture, AS_SHARES);
    const gaps = Float32Array.from(mask.data, (value) => (value > 0 ? 1 : 0));
    const results = await graph.run({
      [colours.name]: tensorOf(colours.dtype, [1, 3, edge, edge], image),
      [gap.name]: tensorOf(gap.dtype, [1, 1, edge, edge], gaps),
    });
    const found = results[output.name];
    invariant(found, `a run of the graph gives its output ${output.name}`);
    const raster = rasterOf(found, "nchw");
    const scale = areBytes(raster.values, picture, mask) ? 1 : 255;
    return toPixels({ ...raster, values: raster.values.map((value) => value * scale) });
  }

  return {
    async *fill(picture, mask, pause) {
      const whole = { ...picture, data: picture.data.slice() };
      const left = { ...mask, data: mask.data.slice() };
      const places = await placesOf(mask, edge, pause);
      for (const [at, { gaps, part }] of places.entries()) {
        const seen = await seenPart(whole, left, { part, edge, pause });
        const answer = crop(await filled(seen.picture, seen.mask), { left: 0, top: 0, ...seen.content });
        const { width, height } = part;
        const sized = await resize(answer, { width, height, kernel: "bicubic", pause });
        await put(whole, sized, { gaps, part, pause });
        fillRuns(left.data, gaps, 0);
        yield { at: at + 1, of: places.length };
      }
      return whole;
    },
  };
}

type Seeing = { part: Rectangle; edge: number; pause: Pause };

/** The part as the graph is to see it: no larger than `edge`, and mirrored where it is smaller. */
async function seenPart(picture: Pixels, mask: Mask, { part, edge, pause }: Seeing) {
  const scale = Math.min(1, edge / Math.max(part.width, part.height));
  const content = {
    width: Math.max(1, Math.round(part.width * scale)),
    height: Math.max(1, Math.round(part.height * scale)),
  };
  const gaps = crop({ ...mask, channels: 1 }, part);
  await inPieces({ rows: gaps.height, size: gaps.width, pause }, (top, bottom) => {
    for (let at = top * gaps.width; at < bottom * gaps.width; at++) gaps.data[at] = gaps.data[at] ? 255 : 0;
  });
  const view = async (pixels: Pixels) =>
    // By weights that are nowhere below 0: a pixel that is made of masked ones counts as masked itself.
    mirroredPart(await resize(pixels, { ...content, kernel: "bilinear", pause }), {
      ...{ left: 0, top: 0, width: edge, height: edge },
    });
  return {
    content,
    picture: await view(crop(picture, part)),
    mask: await view(gaps),
  };
}

async function put(picture: Pixels, answer: Pixels, { gaps, part, pause }: Place & { pause: Pause }): Promise<void> {
  const { channels, width } = picture;
  await inPieces({ rows: gaps.from.length, size: part.width, pause }, (first, end) => {
    for (let run = first; run < end; run++) {
      const begin = gaps.from[run] ?? 0;
      let from = (Math.floor(begin / width) - part.top) * part.width + (begin % width) - part.left;
      for (let pixel = begin; pixel < (gaps.to[run] ?? 0); pixel++, from++)
        for (let c = 0; c < Math.min(3, channels); c++)
          picture.data[pixel * channels + c] = channels === 1 ? grey(answer, from) : (answer.data[from * 3 + c] ?? 0);
    }
  });
}

const grey = ({ data }: Pixels, at: number) =>
  Math.round(((data[at * 3] ?? 0) + (data[at * 3 + 1] ?? 0) + (data[at * 3 + 2] ?? 0)) / 3);

/**
 * Exports end with bytes (Carve's, OpenCV's) or with shares (the authors'). What is not masked comes back as it was given,
 * which tells the two apart also in a picture that is nearly black.
 */
function areBytes(values: Float32Array, { data, channels }: Pixels, mask: Pixels): boolean {
  let [given, found] = [0, 0];
  for (let at = 0; at < mask.data.length; at++) {
    if (mask.data[at]) continue;
    for (let c = 0; c < 3; c++) {
      given += (data[at * channels + (channels === 1 ? 0 : c)] ?? 0) / 255;
      found += values[at * 3 + c] ?? 0;
    }
  }
  return given > 0 ? found / given > HALFWAY : values.some((value) => value > SURELY_BYTES);
}

/** Between 1 and 255, by their logarithms. */
const HALFWAY = 16;
/** No share with its rounding is as large. */
const SURELY_BYTES = 1.5;

function portOf(ports: Parameters<typeof requirePort>[0], name: string, channels: number) {
  const fitting = ports.filter(({ shape }) => shape.at(-3) === channels);
  return requirePort(ports.some((port) => port.name === name) ? ports : fitting, { names: [name], of: "eraser" });
}
