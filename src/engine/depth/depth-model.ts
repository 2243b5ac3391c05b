// A model that tells how far things are, in transformers.js' layout: Depth Anything, DPT and MiDaS, Depth Pro.
import { invariant } from "../../core/errors.ts";
import type { Assets, Pixels } from "../../core/pipeline.ts";
import { createPause, inPieces, type Pause } from "../pause.ts";
import { interpolate, type Plane } from "../tensor/interpolate.ts";
import { requirePort, toFloats } from "../tensor/tensor.ts";
import { pictureTensor } from "../vision/picture-tensor.ts";
import type { PreprocessorConfig } from "../vision/preprocess.ts";
import type { DepthMap, DepthUnit } from "./depth-map.ts";

export type DepthModel = {
  /** In the picture's size. */
  estimate(picture: Pixels, signal: AbortSignal): Promise<DepthMap>;
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
    async estimate(picture, signal) {
      const pause = createPause(signal);
      const { width, height } = picture;
      const results = await graph.run({ [input.name]: await pictureTensor(input, [picture], processor) });
      const found = results[depths.name];
      invariant(found, "a graph gives each of its outputs");
      const [rows = 1, columns = 1] = found.shape.slice(-2);
      const raw = { values: toFloats(found), width: columns, height: rows };
      const fieldOfView = angle && results[angle.name];
      if (!fieldOfView) return { ...(await interpolate(raw, { width, height, mode: "bicubic", pause })), unit };
      const [degrees = 0] = toFloats(fieldOfView);
      return { ...(await metresOf(raw, { width, height, degrees, pause })), unit: "metres" };
    },
  };
}

/** What Depth Pro gives is not told in its files: it measures. */
const unitOf = ({ model_type: type, depth_estimation_type: kind }: DepthConfig): DepthUnit =>
  kind === "metric" || type === "depth_pro" ? "metres" : "nearness";

type Measuring = { width: number; height: number; degrees: number; pause: Pause };

/** Depth Pro's graph gives inverse depths as if the picture were as wide as its focal length (transformers' processor). */
async function metresOf(raw: Plane, { width, height, degrees, pause }: Measuring): Promise<Plane> {
  const focalLength = (0.5 * width) / Math.tan((0.5 * degrees * Math.PI) / 180);
  const scaled = { ...raw, values: raw.values.map((value) => (value * width) / focalLength) };
  const { values } = await interpolate(scaled, { width, height, mode: "bilinear", pause });
  await inPieces({ rows: height, size: width, pause }, (top, bottom) => {
    for (let at = top * width; at < bottom * width; at++)
      values[at] = 1 / Math.min(1e4, Math.max(1e-4, values[at] ?? 0));
  });
  return { width, height, values };
}
