// What all vision towers have in common: one picture in, vectors of the language model's width out.
import { ForecourtError } from "../../core/errors.ts";
import type { Graph } from "../../core/pipeline.ts";
import type { Tensor } from "../../core/tensor.ts";
import { tensorOf } from "../tensor/tensor.ts";

/** Inputs that the graph does not have are left out. Throws `runner_failed` when there are not as many vectors as announced. */
export async function seen(tower: Graph, feeds: Record<string, Tensor>, vectors: number): Promise<Tensor> {
  const taken = Object.entries(feeds).filter(([name]) => tower.inputs.some((port) => port.name === name));
  const results = await tower.run(Object.fromEntries(taken));
  const features = results.image_features ?? Object.values(results)[0];
  const width = features?.shape.at(-1) ?? 0;
  if (!features || features.data.length !== vectors * width)
    throw new ForecourtError(
      "runner_failed",
      `the vision encoder gives [${features?.shape}] for a picture of ${vectors} tokens`,
    );
  return features;
}

export const floatsFor = (tower: Graph, shape: readonly number[], values: Float32Array): Tensor =>
  tensorOf(tower.inputs.find(({ name }) => name === "pixel_values")?.dtype ?? "float32", shape, values);
