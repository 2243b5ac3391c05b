// PP-OCR's text detector: a picture in, rectangles around lines of text out.
import type { Assets, Pixels } from "../../core/pipeline.ts";
import { toPlanes } from "../onnx/inputs/planes.ts";
import { rasterOf } from "../onnx/planes.ts";
import { resize } from "../tensor/resize.ts";
import { requirePort, tensorOf } from "../tensor/tensor.ts";
import { type Rectangle, scaled } from "./rectangle.ts";
import { regionsOf } from "./regions.ts";

/** PaddleOCR's `det_limit_side_len`; edges are multiples of what the network halves five times. */
const LONGEST_EDGE = 960;
const MULTIPLE = 32;
/** ImageNet's, applied to blue, green, red in this order, as PaddleOCR does. */
const LOOK = {
  channels: "bgr",
  layout: "nchw",
  scale: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  deviation: [0.229, 0.224, 0.225],
} as const;

export async function loadDetector(assets: Assets, path: string): Promise<(picture: Pixels) => Promise<Rectangle[]>> {
  const graph = await assets.graph(path);
  const input = requirePort(graph.inputs, { names: ["x"], of: "text detector" });
  const output = requirePort(graph.outputs, { names: ["sigmoid_0.tmp_0"], of: "text detector" });
  return async (picture) => {
    const shrink = Math.min(1, LONGEST_EDGE / Math.max(picture.width, picture.height));
    const edge = (length: number) => Math.max(1, Math.round(Math.trunc(length * shrink) / MULTIPLE)) * MULTIPLE;
    const size = { width: edge(picture.width), height: edge(picture.height) };
    const { values } = toPlanes(resize(picture, { ...size, kernel: "bilinear" }), LOOK);
    const results = await graph.run({ [input.name]: tensorOf(input.dtype, [1, 3, size.height, size.width], values) });
    const found = results[output.name];
    if (!found) throw new RangeError(`a run of the graph gives its output ${output.name}`);
    const map = rasterOf(found, "nchw");
    return regionsOf(map).map((region) => scaled(region, picture.width / map.width, picture.height / map.height));
  };
}
