// Numbers with a shape: what goes into a graph and what comes out.

export type TensorData =
  | Float32Array
  | Float64Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array;

/** Names as in ONNX; float16 data are Uint16Array bit patterns, bool data Uint8Array of 0 and 1. */
export type DType =
  | "float32"
  | "float16"
  | "float64"
  | "int64"
  | "int32"
  | "int16"
  | "int8"
  | "uint8"
  | "uint16"
  | "bool";

export type Tensor = { dtype: DType; shape: readonly number[]; data: TensorData };

/** A tensor in a device's memory: to be given to graphs of that device, not to be read. Nothing frees it but `release`. */
export type HeldTensor = { dtype: DType; shape: readonly number[]; release(): void };

/** An input or output of a graph; a dimension that is not fixed is its symbolic name (or "" if unnamed). */
export type Port = { name: string; dtype: DType; shape: readonly (number | string)[] };
