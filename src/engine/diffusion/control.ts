// A ControlNet (2302.05543): a second graph that looks at a picture of edges, depths or poses and adds to what the UNet thinks.
import { ForecourtError, invariant } from "../../core/errors.ts";
import type { Graph, Pixels } from "../../core/pipeline.ts";
import type { Port, Tensor } from "../../core/tensor.ts";
import { createPause } from "../pause.ts";
import { pixelsToPlanes } from "../tensor/pixels.ts";
import { resize } from "../tensor/resize.ts";
import { requirePort, tensorOf, toFloats } from "../tensor/tensor.ts";
import { type Rows, sharedRow, stackRows } from "./condition.ts";
import { inFixedRows } from "./fixed-rows.ts";
import type { Size } from "./image-size.ts";
import { timestepTensor } from "./timestep-tensor.ts";

export type ControlPicture = {
  /** Of any size. */
  picture: Pixels;
  /** What the graph adds is multiplied by this. */
  scale: number;
  /** Shares of the run, from 0 to 1, between which it adds anything. */
  span: readonly [from: number, to: number];
};

/** What is added at the next step, by names of the UNet's inputs. To be called once for each step, in their order. */
export type Steer = (
  latents: { data: Float32Array; shape: readonly number[] },
  timestep: number,
) => Promise<Record<string, Tensor>>;

/** The same for all steps of a run. */
export type Steering = { conditions: readonly Rows[]; shared: Rows };

export type Control = { begin(given: Steering): Steer };

export type ControlNet = {
  /** For one run of `steps` model calls. */
  looking(at: ControlPicture, run: { size: Size; steps: number; signal: AbortSignal }): Promise<Control>;
};

/** `residuals` are the inputs of the UNet that the graph's outputs go to. Throws `misconfigured` where they do not match. */
export function createControlNet(given: Graph, residuals: readonly Port[]): ControlNet {
  const of = "ControlNet";
  const sample = requirePort(given.inputs, { names: ["sample"], of });
  const graph = inFixedRows(given, sample.name);
  const timestepPort = requirePort(graph.inputs, { names: ["timestep"], of });
  const pictured = requirePort(graph.inputs, { names: ["controlnet_cond", "control_image"], of });
  const strength = graph.inputs.find(({ name }) => name === "conditioning_scale");
  const steered = graph.inputs.filter((port) => ![sample, timestepPort, pictured, strength].includes(port));
  const targets = matched(graph.outputs, residuals);
  return {
    async looking({ picture, scale, span: [from, to] }, { size: { width, height }, steps, signal }) {
      const pause = createPause(signal);
      const planes = pixelsToPlanes(await resize(picture, { width, height, kernel: "lanczos3", pause }), ZERO_TO_ONE);
      return {
        begin({ conditions, shared }) {
          const rows = conditions.length;
          const constants: Record<string, Tensor> = {
            [pictured.name]: sharedRow(pictured, { data: planes, shape: [3, height, width] }, rows),
            ...(strength && {
              [strength.name]: tensorOf(
                strength.dtype,
                strength.shape.map(() => 1),
                [1],
              ),
            }),
          };
          for (const port of steered) constants[port.name] = steeredTensor(port, { conditions, shared });
          let step = 0;
          return async ({ data, shape }, timestep) => {
            const isOn = step / steps >= from && (step + 1) / steps <= to;
            step++;
            const results = await graph.run({
              ...constants,
              [sample.name]: tensorOf(sample.dtype, shape, data),
              [timestepPort.name]: timestepTensor(timestepPort, timestep, rows),
            });
            return Object.fromEntries(
              targets.map(({ source, target }) => [target.name, scaled(results[source], target, isOn ? scale : 0)]),
            );
          };
        },
      };
    },
  };
}

const ZERO_TO_ONE = { scale: 1 / 255, mean: [0, 0, 0], deviation: [1, 1, 1] };

function steeredTensor(port: Port, { conditions, shared }: Steering): Tensor {
  const same = shared[port.name];
  if (same) return sharedRow(port, same, conditions.length);
  const rows = conditions.flatMap((each) => each[port.name] ?? []);
  if (rows.length > 0) return stackRows(port, rows);
  throw new ForecourtError("misconfigured", `the ControlNet wants "${port.name}", unknown to its family`);
}

function scaled(tensor: Tensor | undefined, target: Port, scale: number): Tensor {
  invariant(tensor, "a graph gives each of its outputs");
  if (scale === 1 && tensor.dtype === target.dtype) return tensor;
  return tensorOf(
    target.dtype,
    tensor.shape,
    toFloats(tensor).map((value) => value * scale),
  );
}

/** By name where both have the same ones, else by their order: the last one is for the UNet's middle. */
function matched(outputs: readonly Port[], residuals: readonly Port[]): { source: string; target: Port }[] {
  if (outputs.length !== residuals.length) {
    const why = `the ControlNet gives ${outputs.length} residuals, the UNet takes ${residuals.length}`;
    throw new ForecourtError("misconfigured", `${why}: use a pair that was exported for one another`);
  }
  const isMiddle = ({ name }: Port) => name.startsWith("mid_");
  const [down, middle] = [residuals.filter((port) => !isMiddle(port)), residuals.filter(isMiddle)];
  const inOrder = [...down, ...middle];
  return outputs.map(({ name }, at) => {
    const target = residuals.find((port) => port.name === name) ?? inOrder[at];
    invariant(target, "as many outputs as inputs");
    return { source: name, target };
  });
}
