// Keys and values of the tokens that a model has read: rows of one batch, padded to one length.
import { invariant } from "../../core/errors.ts";
import type { DType, HeldTensor, Tensor, TensorData } from "../../core/tensor.ts";

export type KvShape = { layers: number; heads: number; width: number; dtype: DType };

/** Where padding lies: a graph minds the mask wherever it hides something, or takes it for a length. */
export type PaddingSide = "before" | "behind";

/** Never changed: what a run gives is a new one. */
export type KvCache = {
  /** How many tokens each row holds; the rest of `length` is padding and not looked at. */
  rows: readonly number[];
  padding: PaddingSide;
  length: number;
  /** [rows, heads, length, width] each, in the order of `names`. */
  tensors: ReadonlyMap<string, Tensor | HeldTensor>;
  /** Of one in a device's memory: it must be called once it is of no use. */
  release?(): void;
};

/** Names of a cache's tensors, without the graph's prefix: 0.key, 0.value, 1.key... */
export const cacheNames = ({ layers }: Pick<KvShape, "layers">) =>
  Array.from({ length: layers }, (_, layer) => [`${layer}.key`, `${layer}.value`]).flat();

/** Rows that have read nothing. */
export function emptyCache(shape: KvShape, rows: number): KvCache {
  const { heads, width, dtype } = shape;
  const empty = (): Tensor => ({ dtype, shape: [rows, heads, 0, width], data: allocate(dtype, 0) });
  return {
    rows: new Array<number>(rows).fill(0),
    padding: "before",
    length: 0,
    tensors: new Map(cacheNames(shape).map((name) => [name, empty()])),
  };
}

/** One row of a cache, cut to its first `tokens`. */
export type KvRow = { cache: KvCache; row: number; tokens?: number };

/** `fill`: what padding consists of. */
type Layout = { padding?: PaddingSide; fill?: number };

/** Those rows as one cache; they are copied, unless they are all of one cache and stay as they are. */
export function gatherRows(rows: readonly KvRow[], shape: KvShape, layout: Layout = {}): KvCache {
  const { padding = "before", fill = 0 } = layout;
  const [first] = rows;
  if (!first) return emptyCache(shape, 0);
  const isSame =
    first.cache.rows.length === rows.length &&
    rows.every(
      ({ cache, row, tokens }, at) =>
        cache === first.cache && row === at && (tokens ?? cache.rows[row]) === cache.rows[row],
    );
  const lengths = rows.map(({ cache, row, tokens }) =>
    Math.min(tokens ?? Number.POSITIVE_INFINITY, cache.rows[row] ?? 0),
  );
  const length = Math.max(...lengths);
  const isPadded = lengths.some((each) => each < length);
  if (isSame && first.cache.length === length && (!isPadded || first.cache.padding === padding)) return first.cache;
  const gathering = { rows, lengths, length, shape, padding, fill };
  const tensors = new Map(cacheNames(shape).map((name) => [name, gatherTensor({ name, ...gathering })]));
  return { rows: lengths, length, padding, tensors };
}

type Gathering = {
  name: string;
  rows: readonly KvRow[];
  lengths: readonly number[];
  length: number;
  shape: KvShape;
  padding: PaddingSide;
  fill: number;
};

function gatherTensor({ name, rows, lengths, length, shape, padding, fill: value }: Gathering): Tensor {
  const { heads, width, dtype } = shape;
  const data = allocate(dtype, rows.length * heads * length * width);
  if (value !== 0) fill(data, value);
  for (const [at, { cache, row }] of rows.entries()) {
    const from = cache.tensors.get(name);
    const count = lengths[at] ?? 0;
    if (!from || count === 0) continue;
    invariant("data" in from, "what is in a device's memory is taken as it is");
    const begins = cache.padding === "before" ? cache.length - (cache.rows[row] ?? 0) : 0;
    const into = padding === "before" ? length - count : 0;
    for (let head = 0; head < heads; head++) {
      const source = ((row * heads + head) * cache.length + begins) * width;
      const target = ((at * heads + head) * length + into) * width;
      copy(data, target, from.data, source, count * width);
    }
  }
  return { dtype, shape: [rows.length, heads, length, width], data };
}

const allocate = (dtype: DType, size: number): TensorData =>
  dtype === "float16" ? new Uint16Array(size) : new Float32Array(size);

function copy(into: TensorData, target: number, from: TensorData, source: number, count: number): void {
  if (into instanceof Float32Array && from instanceof Float32Array)
    into.set(from.subarray(source, source + count), target);
  else if (into instanceof Uint16Array && from instanceof Uint16Array)
    into.set(from.subarray(source, source + count), target);
}

function fill(data: TensorData, value: number): void {
  if (data instanceof Uint16Array) data.fill(new Uint16Array(Float16Array.of(value).buffer)[0] ?? 0);
  else if (data instanceof Float32Array) data.fill(value);
}

/** Bytes of `tokens` tokens in a cache of this shape. */
export const bytesOfTokens = ({ layers, heads, width, dtype }: KvShape, tokens: number) =>
  2 * layers * heads * width * tokens * (dtype === "float16" ? 2 : 4);
