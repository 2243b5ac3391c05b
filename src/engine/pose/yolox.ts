// YOLOX, the detector that DWPose and rtmlib put before their poses: boxes of people, read as YOLOX' own ONNX demo does.
import { invariant } from "../../core/errors.ts";
import type { Graph } from "../../core/pipeline.ts";
import { parse, Type } from "../../core/schema.ts";
import { candidatesOf } from "../onnx/boxes/candidates.ts";
import { boxesFields } from "../onnx/boxes/declaration.ts";
import { suppress } from "../onnx/boxes/suppress.ts";
import { fitPicture } from "../onnx/fit-picture.ts";
import { toPlanes } from "../onnx/inputs/planes.ts";
import { fixedSize } from "../onnx/ports.ts";
import { requirePort, tensorOf } from "../tensor/tensor.ts";
import type { PeopleFinder } from "./finder.ts";
import { boxIn } from "./in-picture.ts";

/** Where the graph leaves it free. */
const SIZE = { width: 640, height: 640 };
const BORDER = 114;
const SUPPRESSION = { iou: 0.45, max: 300 };
const COLOURS = { channels: "bgr", layout: "nchw", scale: 1, mean: [], deviation: [] } as const;

/** [1, places of three grids, 85]: middle and size in cells, objectness, COCO's classes, of which the first is people. */
const CODING = parse(Type.Object(boxesFields), {
  heads: [
    {
      ...{ box: { from: 0 }, objectness: { from: 4 }, scores: { from: 5, count: 1 } },
      grids: [{ stride: 8 }, { stride: 16 }, { stride: 32 }],
    },
  ],
  centre: { unit: "cells" },
  size: { activation: "exp", unit: "cells" },
});

export function yoloxFinder(graph: Graph): PeopleFinder {
  const of = "detector";
  const input = requirePort(graph.inputs, { names: ["images", "input"], of });
  const output = requirePort(graph.outputs, { names: ["output"], of });
  const size = fixedSize(input) ?? SIZE;
  return async (picture, threshold) => {
    const wish = { ...size, multipleOf: 1, fit: "corner" } as const;
    const { view, pixels } = await fitPicture(picture, wish, { kernel: "bilinear", fill: BORDER });
    const { values } = toPlanes(pixels, COLOURS);
    const results = await graph.run({ [input.name]: tensorOf(input.dtype, [1, 3, size.height, size.width], values) });
    const result = results[output.name];
    invariant(result, "a graph gives each of its outputs");
    const found = candidatesOf(CODING, { tensors: { [output.name]: result }, seen: view.seen, threshold });
    return suppress(found, SUPPRESSION).map(({ score, ...edges }) => ({ box: boxIn(view, edges), score }));
  };
}
