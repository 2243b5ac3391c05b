// ViTPose in transformers.js' layout: heat maps of one person's points, read as transformers' VitPoseImageProcessor does.
import { invariant } from "../../core/errors.ts";
import type { Assets, Graph } from "../../core/pipeline.ts";
import { requirePort, tensorOf, toFloats } from "../tensor/tensor.ts";
import { type PreprocessorConfig, planesOf } from "../vision/preprocess.ts";
import { peakOf } from "./dark.ts";
import type { PointFinder } from "./finder.ts";
import { type Edge, frameOf, PADDING, seenOf } from "./person-crop.ts";

type VitPoseConfig = PreprocessorConfig & { size?: { width: number; height: number } };

/** VitPoseImageProcessor's own defaults. */
const DEFAULTS = {
  ...{ image_mean: [0.485, 0.456, 0.406], image_std: [0.229, 0.224, 0.225] },
  size: { width: 192, height: 256 },
};

export const hasHeatMaps = ({ outputs }: Graph) => outputs.some(({ name }) => name === "heatmaps");

export async function loadVitPose(graph: Graph, assets: Assets): Promise<PointFinder> {
  const config = { ...DEFAULTS, ...(await assets.json<VitPoseConfig>("preprocessor_config.json")) };
  const { size } = config;
  const of = "pose model";
  const input = requirePort(graph.inputs, { names: ["pixel_values"], of });
  const output = requirePort(graph.outputs, { names: ["heatmaps"], of });
  const experts = graph.inputs.find(({ name }) => name === "dataset_index");
  return {
    points: output.shape[1],
    async find(picture, box) {
      const frame = frameOf(box, size);
      const [across, down] = [edgeOf(frame.x, frame.w, size.width), edgeOf(frame.y, frame.h, size.height)];
      const seen = seenOf(picture, { across, down, size });
      const results = await graph.run({
        [input.name]: tensorOf(input.dtype, [1, 3, size.height, size.width], planesOf(seen, config)),
        // ViTPose+ has experts for data sets; the first is COCO's.
        ...(experts && { [experts.name]: tensorOf(experts.dtype, [1], [0]) }),
      });
      const maps = results[output.name];
      invariant(maps, "a graph gives each of its outputs");
      const [count = 0, height = 1, width = 1] = maps.shape.slice(-3);
      const values = toFloats(maps);
      return Array.from({ length: count }, (_, i) => {
        const map = values.subarray(i * width * height, (i + 1) * width * height);
        const { x, y, score } = peakOf({ values: map, width, height });
        return { x: frame.x + (x * frame.w) / (width - 1), y: frame.y + (y * frame.h) / (height - 1), score };
      });
    },
  };
}

/** transformers' measure of boxes, in pixels. */
const UNIT = 200;

/**
 * Unbiased data processing: from the middle of the first pixel to that of the last (Huang et al., "The Devil is in the
 * Details", CVPR 2020). In single precision as in transformers, so that values between two steps of brightness fall to the
 * same one.
 */
function edgeOf(begin: number, length: number, pixels: number): Edge {
  const { fround } = Math;
  const target = fround(fround(fround(length / PADDING / UNIT) * PADDING) * UNIT);
  const scale = (pixels - 1) / target;
  const offset = fround(scale * fround(fround(-begin - length / 2) + fround(target / 2)));
  return { begin: -offset / fround(scale), step: 1 / fround(scale) };
}
