// Between our tensors and pictures and those of transformers.js, also deep inside of lists and objects.
import type { Pixels } from "../../core/pipeline.ts";
import type { Tensor } from "../../core/tensor.ts";
import { library } from "./transformers-library.ts";

/** What is neither data, a tensor nor a picture (a signal, a cache) goes through as it is. */
export function toTransformers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toTransformers);
  if (!isPlain(value)) return value;
  if (isTensor(value)) return new library.Tensor(value.dtype, value.data, [...value.shape]);
  if (isPixels(value)) {
    const { data, width, height, channels } = value;
    return new library.RawImage(data, width, height, channels);
  }
  return mapped(value, toTransformers);
}

/** Tensors keep their memory; their data are on the CPU. */
export function fromTransformers(value: unknown): unknown {
  if (value instanceof library.Tensor) return { dtype: value.type, shape: value.dims, data: value.data };
  if (value instanceof library.RawImage) {
    const { data, width, height, channels } = value;
    return { data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength), width, height, channels };
  }
  if (Array.isArray(value)) return value.map(fromTransformers);
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  // A cache is given back to the model as it is.
  if (value instanceof library.DynamicCache) return value;
  return mapped(value, fromTransformers);
}

const mapped = (value: object, each: (inner: unknown) => unknown) =>
  Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, each(inner)]));

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

const isTensor = (value: object): value is Tensor => "dtype" in value && "shape" in value && "data" in value;
const isPixels = (value: object): value is Pixels => "channels" in value && "width" in value && "data" in value;
