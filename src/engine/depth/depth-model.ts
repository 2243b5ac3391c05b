// A model that tells how far things are, in transformers.js' layout: Depth Anything, DPT and MiDaS, Depth Pro.
import { invariant } from "../../core/errors.ts";
import type { Assets, Pixels } from "../../core/pipeline.ts";
import { interpolate, type Plane } from "../tensor/interpolate.ts";
import { requirePort, toFloats } from "../tensor/tensor.ts";
import { pictureTensor } from "../vision/picture-tensor.ts";
import type { PreprocessorConfig } from "../vision/preprocess.ts";
import type { DepthMap, DepthUnit } from "./depth-map.ts";

export type DepthModel = {
  /** In the picture's size. */
  estimate(picture: Pixels): Promise<DepthMap>;
};

type DepthConfig = { model_type?: string; depth_estimation_type?: "relative" | "metric" };

const GRAPH = "onnx/model.onnx";

export async function loadDepthModel(assets: Assets): Promise<DepthModel> {
  const processor = await assets.json<PreprocessorConfig>("preprocessor_config.json");
  const unit = unitOf(assets.has("config.json") ? await assets.json<DepthConfig>("config.json") : {});
  const graph = await assets.graph(GRAPH);
  const of = "depth model";
  const input = requirePort(graph.inputs, { names: ["pixel_values", "image"], of });
  const depths = requirePort(graph.outputs, { names: ["predicted_depth", "depth"], of });
  const angle = graph.outputs.find(({ name }) => name === "field_of_view");

  return {
    async estimate(picture) {
      const results = await graph.run({ [input.name]: pictureTensor(input, [picture], processor) });
      const found = results[depths.name];
      invariant(found, "a graph gives each of its outputs");
      const [rows = 1, columns = 1] = found.shape.slice(-2);
      const raw = { values: toFloats(found), width: columns, height: rows };
      const fieldOfView = angle && results[angle.name];
      if (!fieldOfView) return { ...interpolate(raw, picture, "bicubic"), unit };
      const [degrees = 0] = toFloats(fieldOfView);
      return { ...metresOf(raw, picture, degrees), unit: "metres" };
    },
  };
}

/** What Depth Pro gives is not told in its files: it measures. */
const unitOf = ({ model_type: type, depth_estimation_type: kind }: DepthConfig): DepthUnit =>
  kind === "metric" || type === "depth_pro" ? "metres" : "nearness";

/** Depth Pro's graph gives inverse depths as if the picture were as wide as its focal length (transformers' processor). */
function metresOf(raw: Plane, { width, height }: Pixels, degrees: number): Plane {
  const focalLength = (0.5 * width) / Math.tan((0.5 * degrees * Math.PI) / 180);
  const scaled = { ...raw, values: raw.values.map((value) => (value * width) / focalLength) };
  const sized = interpolate(scaled, { width, height }, "bilinear");
  return { ...sized, values: sized.values.map((inverse) => 1 / Math.min(1e4, Math.max(1e-4, inverse))) };
}
