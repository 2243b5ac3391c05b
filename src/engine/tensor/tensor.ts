// Between JavaScript's numbers and a graph's tensors: makes and reads tensors of whatever dtype a port asks for.
import { ForecourtError, invariant } from "../../core/errors.ts";
import type { DType, Port, Tensor, TensorData } from "../../core/tensor.ts";

/** Any dtype as float32; the tensor's own memory when it is float32 already. int64 beyond 2^53 loses digits. */
export function toFloats({ dtype, data }: Tensor): Float32Array {
  if (data instanceof Float32Array) return data;
  if (data instanceof BigInt64Array) return Float32Array.from(data, Number);
  if (dtype !== "float16") return Float32Array.from(data);
  return Float32Array.from(new Float16Array(data.buffer, data.byteOffset, data.length));
}

/** A tensor of the wanted dtype; float32 data are taken over without a copy when float32 is wanted. */
export function tensorOf(dtype: DType, shape: readonly number[], values: Float32Array | readonly number[]): Tensor {
  invariant(values.length === sizeOf(shape), `${values.length} values do not fill [${shape}]`);
  if (dtype === "float32" && values instanceof Float32Array) return { dtype, shape, data: values };
  return { dtype, shape, data: arrays[dtype](values) };
}

export const sizeOf = (shape: readonly number[]) => shape.reduce((size, each) => size * each, 1);

const arrays: Record<DType, (values: Float32Array | readonly number[]) => TensorData> = {
  float32: (values) => Float32Array.from(values),
  float16: (values) => new Uint16Array(Float16Array.from(values).buffer),
  float64: (values) => Float64Array.from(values),
  int64: (values) => BigInt64Array.from(Array.from(values, BigInt)),
  int32: (values) => Int32Array.from(values),
  int16: (values) => Int16Array.from(values),
  int8: (values) => Int8Array.from(values),
  uint8: (values) => Uint8Array.from(values),
  uint16: (values) => Uint16Array.from(values),
  bool: (values) => Uint8Array.from(values, (each) => (each === 0 ? 0 : 1)),
};

type WantedPort = {
  /** Names that exporters give it, the usual one first. */
  names: readonly string[];
  /** For the error: which graph has these ports. */
  of: string;
};

/** The port by the first of its names that is there, else the only one. Throws `runner_failed`. */
export function requirePort(ports: readonly Port[], { names, of }: WantedPort): Port {
  const named = names.flatMap((name) => ports.filter((port) => port.name === name));
  const port = named[0] ?? (ports.length === 1 ? ports[0] : undefined);
  if (port) return port;
  const there = ports.map(({ name }) => name).join(", ");
  throw new ForecourtError("runner_failed", `the graph of the ${of} lacks "${names[0]}"; it has ${there}`);
}
