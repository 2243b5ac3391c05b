// How much of each pixel belongs to the subject, by a graph in transformers.js' layout: BiRefNet, MODNet and their kin.
import type { ForecourtError } from "../../core/errors.ts";
import type { Assets, Pixels } from "../../core/pipeline.ts";
import type { Tensor } from "../../core/tensor.ts";
import { wrongField } from "../../core/wrong-field.ts";
import { sigmoid } from "../onnx/activation.ts";
import { rasterOf, toPixels } from "../onnx/planes.ts";
import type { Pause } from "../pause.ts";
import { resize } from "../tensor/resize.ts";
import { requirePort, tensorOf } from "../tensor/tensor.ts";
import { look, type PreprocessorConfig, planesOf } from "../vision/preprocess.ts";

/** `edge`: the square that the graph is to see the picture in. */
type Way = { edge?: number | undefined; pause: Pause };

export type Matting = {
  /** Grey in the picture's size, 255 = subject. */
  matte(picture: Pixels, way: Way): Promise<Pixels>;
};

/** Fainter pixels do not count as the subject: 5 %, what a network leaves in the background here and there. */
export const VISIBLE = 13;

/** Names that exporters give: transformers.js', BiRefNet's, MODNet's. */
const INPUTS = ["pixel_values", "input_image", "input"];
const OUTPUTS = ["output_image", "alphas", "output", "logits"];

export async function loadMatting(assets: Assets): Promise<Matting> {
  const config = await assets.json<PreprocessorConfig>("preprocessor_config.json");
  const graph = await assets.graph("onnx/model.onnx");
  const input = requirePort(graph.inputs, { names: INPUTS, of: "background remover" });
  const output = requirePort(graph.outputs, { names: OUTPUTS, of: "background remover" });
  const [height, width] = input.shape.slice(-2);
  const fixed = typeof width === "number" && typeof height === "number" ? { width, height } : undefined;

  return {
    async matte(picture, { edge, pause }) {
      if (fixed && edge !== undefined && (fixed.width !== edge || fixed.height !== edge)) throw otherSize(fixed);
      const size = edge === undefined ? fixed : { width: edge, height: edge };
      const { pixels: seen } = await look(
        picture,
        size ? { ...config, size, do_resize: true, do_center_crop: false } : config,
        pause,
      );
      const shape = [1, 3, seen.height, seen.width];
      const results = await graph.run({ [input.name]: tensorOf(input.dtype, shape, planesOf(seen, config)) });
      const found = results[output.name];
      if (!found) throw new RangeError(`a run of the graph gives its output ${output.name}`);
      return await resize(greyOf(found), { width: picture.width, height: picture.height, kernel: "bicubic", pause });
    },
  };
}

/** Rounding of a graph that gives shares. */
const TOLERANCE = 1e-3;

/** Some graphs end with shares, some with what a sigmoid makes shares of; the latter go beyond 0 and 1. */
function greyOf(tensor: Tensor): Pixels {
  const raster = rasterOf(tensor, "nchw");
  const areShares = raster.values.every((value) => value >= -TOLERANCE && value <= 1 + TOLERANCE);
  const values = raster.values.map((value) => Math.trunc(255 * (areShares ? value : sigmoid(value))));
  return toPixels({ ...raster, values });
}

function otherSize({ width, height }: { width: number; height: number }): ForecourtError {
  const msg = `This model sees pictures at ${width}x${height} only`;
  return wrongField("operating_resolution", msg);
}
