// The denoiser of a diffusion model (UNet or transformer) as a function: noisy latents and a timestep in, its prediction out.
import { invariant } from "../../core/errors.ts";
import type { Graph } from "../../core/pipeline.ts";
import type { Port, Tensor } from "../../core/tensor.ts";
import { requirePort, tensorOf, toFloats } from "../tensor/tensor.ts";
import { checkNames, type Row, type Rows, sharedRow, stackRows } from "./condition.ts";
import type { Control } from "./control.ts";
import { inFixedRows } from "./fixed-rows.ts";
import { timestepTensor } from "./timestep-tensor.ts";

/** [rows, channels, height, width] of the latents. */
export type LatentShape = readonly [rows: number, channels: number, height: number, width: number];

/** Predicts for all rows at once; `latents` may be reused by the caller afterwards, the result is in new memory. */
export type Predict = (latents: Float32Array, timestep: number) => Promise<Float32Array>;

export type Begin = {
  shape: LatentShape;
  /** One for each row. */
  conditions: readonly Rows[];
  /** The same for all rows. */
  shared?: Rows;
  /** [pictures, channels, height, width] that the model is shown below the latents; row n belongs to picture n modulo pictures. */
  besides?: Besides;
  /** [tokens, width] that a model with a layout of tokens is shown after those of each row's latents. */
  references?: Row;
  /** Gives the residuals. */
  control?: Control;
};

export type Besides = { data: Float32Array; pictures: number };

export type NoisePredictor = {
  /** Channels that the graph is shown; undefined where it leaves them open or has a layout of its own. */
  channels: number | undefined;
  /** Names of the inputs besides latents and timestep. */
  inputs: readonly string[];
  /** Inputs for what a ControlNet adds; a graph that has them needs one. */
  residuals: readonly Port[];
  /** Prepares what stays the same over the steps of a run. */
  begin(given: Begin): Predict;
};

/** How the latents lie in the graph's tensors where that is not [rows, channels, height, width]. */
export type LatentLayout = {
  pack(latents: Float32Array, shape: LatentShape): { data: Float32Array; shape: readonly number[] };
  unpack(packed: Float32Array, shape: LatentShape): Float32Array;
};

type Denoiser = {
  graph: Graph;
  layout?: LatentLayout;
  /** What a timestep is multiplied by before the model sees it. */
  timestepScale?: number;
};

export function createNoisePredictor({ graph: given, layout, timestepScale = 1 }: Denoiser): NoisePredictor {
  const of = "denoiser";
  const sample = requirePort(given.inputs, { names: ["sample", "hidden_states"], of });
  const graph = inFixedRows(given, sample.name);
  const timestepPort = requirePort(graph.inputs, { names: ["timestep"], of });
  const output = requirePort(graph.outputs, { names: ["out_sample", "out_hidden_states", "noise_pred"], of });
  const residuals = graph.inputs.filter(({ name }) => name.includes("_additional_residual"));
  const further = graph.inputs.filter((port) => port !== sample && port !== timestepPort && !residuals.includes(port));
  const channels = sample.shape[1];
  return {
    channels: typeof channels === "number" && !layout ? channels : undefined,
    inputs: further.map(({ name }) => name),
    residuals,
    begin(given) {
      const { conditions, shared = {}, control } = given;
      const steer = control?.begin({ conditions, shared });
      const constants = constantInputs(further, given);
      const shape = widened(given);
      return async (latents, timestep) => {
        const seen = given.besides ? interleaved(latents, given.besides, shape[0]) : latents;
        const own = layout ? layout.pack(seen, shape) : { data: seen, shape };
        const packed = given.references ? followed(own, given.references) : own;
        const added = await steer?.({ data: latents, shape: given.shape }, timestep);
        const results = await graph.run({
          ...constants,
          ...added,
          [sample.name]: tensorOf(sample.dtype, packed.shape, packed.data),
          [timestepPort.name]: timestepTensor(timestepPort, timestep * timestepScale, shape[0]),
        });
        const predicted = results[output.name];
        invariant(predicted, "a graph gives each of its outputs");
        const all = toFloats(predicted);
        const answered = given.references ? firstOf(all, packed.shape, own.shape) : all;
        return layout ? layout.unpack(answered, given.shape) : answered;
      };
    },
  };
}

function constantInputs(ports: readonly Port[], { conditions, shared = {}, shape }: Begin): Record<string, Tensor> {
  const names = [...Object.keys(conditions[0] ?? {}), ...Object.keys(shared)];
  checkNames(
    ports.map(({ name }) => name),
    names,
  );
  const tensors = ports.map((port): [string, Tensor] => {
    const same = shared[port.name];
    if (same) return [port.name, sharedRow(port, same, shape[0])];
    return [
      port.name,
      stackRows(
        port,
        conditions.flatMap((rows) => rows[port.name] ?? []),
      ),
    ];
  });
  return Object.fromEntries(tensors);
}

function widened({ shape: [rows, channels, height, width], besides }: Begin): LatentShape {
  const further = besides ? besides.data.length / (besides.pictures * height * width) : 0;
  return [rows, channels + further, height, width];
}

type Packed = ReturnType<LatentLayout["pack"]>;

/** After the tokens of each row the same further ones. */
function followed({ data, shape: [rows = 1, tokens = 0, width = 0] }: Packed, further: Row): Packed {
  const size = tokens * width;
  const wide = size + further.data.length;
  const all = new Float32Array(rows * wide);
  for (let row = 0; row < rows; row++) {
    all.set(data.subarray(row * size, (row + 1) * size), row * wide);
    all.set(further.data, row * wide + size);
  }
  return { data: all, shape: [rows, wide / width, width] };
}

/** Of each row the first tokens: exports may answer for the further ones too. */
function firstOf(data: Float32Array, [rows = 1]: readonly number[], [, tokens = 0, width = 0]: readonly number[]) {
  const [size, wide] = [tokens * width, data.length / rows];
  if (size === wide) return data;
  const first = new Float32Array(rows * size);
  for (let row = 0; row < rows; row++) first.set(data.subarray(row * wide, row * wide + size), row * size);
  return first;
}

/** Each row's latents, then what is shown besides. */
function interleaved(latents: Float32Array, { data, pictures }: Besides, rows: number): Float32Array {
  const size = latents.length / rows;
  const further = data.length / pictures;
  const wide = size + further;
  const all = new Float32Array(rows * wide);
  for (let row = 0; row < rows; row++) {
    const picture = row % pictures;
    all.set(latents.subarray(row * size, (row + 1) * size), row * wide);
    all.set(data.subarray(picture * further, (picture + 1) * further), row * wide + size);
  }
  return all;
}
