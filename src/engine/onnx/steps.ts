// Runs a graph for all steps of a request: its windows or tiles one after the other, states carried over.
import { ForecourtError } from "../../core/errors.ts";
import type { Graph } from "../../core/pipeline.ts";
import { sizeOf, tensorOf } from "../tensor/tensor.ts";
import type { OnnxDeclaration } from "./declaration.ts";
import type { Encoded, Tensors } from "./kinds.ts";
import { inputPort, outputPort } from "./ports.ts";

export type Walk = {
  inputs: readonly Encoded[];
  signal: AbortSignal;
};

/** Yields the graph's outputs of each step. Throws `misconfigured` for tensors that the graph does not have. */
export function createSteps(graph: Graph, { constants, states }: Pick<OnnxDeclaration, "constants" | "states">) {
  const fixed: Tensors = {};
  for (const [name, value] of Object.entries(constants)) {
    const port = inputPort(graph, { name, for: "onnx.constants" });
    fixed[name] =
      typeof value === "number" ? tensorOf(port.dtype, [], [value]) : tensorOf(port.dtype, [value.length], value);
  }
  const carried = Object.entries(states).map(([name, { from, shape }]) => {
    const { dtype } = inputPort(graph, { name, for: "onnx.states" });
    outputPort(graph, { name: from, for: `onnx.states.${name}` });
    return { name, from, blank: () => tensorOf(dtype, shape, new Float32Array(sizeOf(shape))) };
  });

  return async function* ({ inputs, signal }: Walk): AsyncGenerator<Tensors> {
    let state: Tensors = Object.fromEntries(carried.map(({ name, blank }) => [name, blank()]));
    for (let step = 0; step < stepsOf(inputs); step++) {
      signal.throwIfAborted();
      const feeds = inputs.map((each) => each.feeds(each.steps === 1 ? 0 : step));
      const results = await graph.run(Object.assign({}, fixed, state, ...feeds));
      state = Object.fromEntries(carried.map(({ name, from, blank }) => [name, results[from] ?? blank()]));
      yield results;
    }
  };
}

/** Inputs of one step stay the same while another goes on. Throws `misconfigured` for two of different lengths. */
export function stepsOf(inputs: readonly Encoded[]): number {
  const lengths = new Set(inputs.map(({ steps }) => steps).filter((steps) => steps !== 1));
  if (lengths.size > 1)
    throw new ForecourtError("misconfigured", "two inputs of the model are seen in steps, and not in equally many");
  return [...lengths][0] ?? 1;
}
