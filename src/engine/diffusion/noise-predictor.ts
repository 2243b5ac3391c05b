// The UNet of a diffusion model as a function: noisy latents and a timestep in, the model's prediction out.
import { invariant } from "../../core/errors.ts";
import type { Graph } from "../../core/pipeline.ts";
import type { Port, Tensor } from "../../core/tensor.ts";
import { requirePort, sizeOf, tensorOf, toFloats } from "../tensor/tensor.ts";
import type { PromptEmbedding } from "./prompt-encoder.ts";

/** [rows, channels, height, width] of the latents. */
export type LatentShape = readonly [rows: number, channels: number, height: number, width: number];

/** Predicts for all rows at once; `latents` may be reused by the caller afterwards, the result is in new memory. */
export type Predict = (latents: Float32Array, timestep: number) => Promise<Float32Array>;

export type NoisePredictor = {
  /** Channels of the latents. */
  channels: number;
  /** Prepares what stays the same over the steps of a run: one embedding for each row. */
  begin(given: { shape: LatentShape; embeddings: readonly PromptEmbedding[] }): Predict;
};

/** Latent channels of every Stable Diffusion; used where the graph leaves them open. */
const CHANNELS = 4;

export function createNoisePredictor(graph: Graph): NoisePredictor {
  const sample = requirePort(graph.inputs, { names: ["sample"], of: "UNet" });
  const timestepPort = requirePort(graph.inputs, { names: ["timestep"], of: "UNet" });
  const context = requirePort(graph.inputs, { names: ["encoder_hidden_states"], of: "UNet" });
  const output = requirePort(graph.outputs, { names: ["out_sample", "noise_pred"], of: "UNet" });
  const channels = sample.shape[1];
  return {
    channels: typeof channels === "number" ? channels : CHANNELS,
    begin({ shape, embeddings }) {
      const contextTensor = stack(context, embeddings);
      return async (latents, timestep) => {
        const results = await graph.run({
          [sample.name]: tensorOf(sample.dtype, shape, latents),
          [timestepPort.name]: timestepTensor(timestepPort, timestep, shape[0]),
          [context.name]: contextTensor,
        });
        const predicted = results[output.name];
        invariant(predicted, "a graph gives each of its outputs");
        return toFloats(predicted);
      };
    },
  };
}

/** Exports differ: a scalar, one number for all rows, or one for each row. Integer ports take whole timesteps only. */
function timestepTensor({ dtype, shape }: Port, timestep: number, rows: number): Tensor {
  const value = dtype.startsWith("float") ? timestep : Math.trunc(timestep);
  const [length] = shape;
  if (length === undefined) return tensorOf(dtype, [], [value]);
  const count = typeof length === "number" ? length : length.includes("batch") ? rows : 1;
  return tensorOf(dtype, [count], new Array<number>(count).fill(value));
}

/** [rows, tokens, width] from one embedding a row. */
function stack({ dtype }: Port, embeddings: readonly PromptEmbedding[]): Tensor {
  const { tokens = 0, width = 0 } = embeddings[0] ?? {};
  const shape = [embeddings.length, tokens, width];
  const all = new Float32Array(sizeOf(shape));
  for (const [row, { data }] of embeddings.entries()) all.set(data, row * tokens * width);
  return tensorOf(dtype, shape, all);
}
