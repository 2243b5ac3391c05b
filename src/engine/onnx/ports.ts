// Finds the tensor of a graph that a model file means.
import { ForecourtError } from "../../core/errors.ts";
import type { Graph } from "../../core/pipeline.ts";
import type { Port } from "../../core/tensor.ts";

type Wanted = { name: string | undefined; for: string };

/** Absent name: the only port. Throws `misconfigured` with what the graph has. */
export const inputPort = ({ inputs }: Graph, wanted: Wanted) => find(inputs, wanted, "input");
export const outputPort = ({ outputs }: Graph, wanted: Wanted) => find(outputs, wanted, "output");

function find(ports: readonly Port[], { name, for: purpose }: Wanted, side: string): Port {
  const port = name === undefined && ports.length === 1 ? ports[0] : ports.find((each) => each.name === name);
  if (port) return port;
  const there = ports.map((each) => each.name).join(", ");
  const wish =
    name === undefined
      ? `has several ${side}s, so ${purpose} needs \`tensor\``
      : `has no ${side} "${name}" (${purpose})`;
  throw new ForecourtError("misconfigured", `the graph ${wish}; its ${side}s are ${there}`);
}

/** The last two dimensions, where the graph fixes both. */
export function fixedSize({ shape }: Pick<Port, "shape">): { width: number; height: number } | undefined {
  const [height, width] = shape.slice(-2);
  const isFixed = typeof height === "number" && typeof width === "number" && height > 0 && width > 0;
  return isFixed ? { width, height } : undefined;
}
