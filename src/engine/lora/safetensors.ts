// The file format of LoRAs: a JSON header that says where each tensor lies, then their numbers.
import { toFailure } from "../../core/errors.ts";
import { unreadableLora } from "./failures.ts";

export type StoredTensor = { shape: readonly number[]; read(): Float32Array };

export type Safetensors = { tensors: Map<string, StoredTensor>; metadata: Record<string, string> };

/** What a header holds, before it is checked. */
type Entries = Record<string, unknown>;

/** The library's own bound (safetensors/src/tensor.rs). */
const LARGEST_HEADER = 100_000_000;
/** The largest LoRAs have some thousands; each costs the time of a search. */
const MOST_TENSORS = 50_000;

const readers: Record<string, (bytes: Uint8Array<ArrayBuffer>) => Float32Array> = {
  F32: ({ buffer }) => new Float32Array(buffer),
  F16: ({ buffer }) => Float32Array.from(new Float16Array(buffer)),
  // The upper half of a float32.
  BF16: ({ buffer }) => new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits * 2 ** 16).buffer),
};

const WIDTHS: Record<string, number> = { F32: 4, F16: 2, BF16: 2 };

/** Throws `invalid_input` for what is no such file, and for numbers of other kinds. */
export function readSafetensors(bytes: Uint8Array): Safetensors {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length >= 8 ? Number(view.getBigUint64(0, true)) : 0;
  if (length === 0 || length > LARGEST_HEADER || length + 8 > bytes.length)
    throw unreadableLora("it is no safetensors file; .bin, .pt and .ckpt files may hold programs, and are not read");
  const { __metadata__: metadata, ...entries } = headerOf(bytes.subarray(8, 8 + length));
  const all = Object.entries(entries);
  if (all.length > MOST_TENSORS)
    throw unreadableLora(`it holds ${all.length} tensors; at most ${MOST_TENSORS} are read`);
  const data = bytes.subarray(8 + length);
  const tensors = all.map(([name, entry]): [string, StoredTensor] => [name, stored(name, entry, data)]);
  return { tensors: new Map(tensors), metadata: isRecord(metadata) ? textsOf(metadata) : {} };
}

const isRecord = (value: unknown): value is Entries =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const textsOf = (entries: Entries): Record<string, string> =>
  Object.fromEntries(
    Object.entries(entries).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
  );

function headerOf(bytes: Uint8Array): Entries {
  try {
    const header: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (isRecord(header)) return header;
  } catch (cause) {
    throw unreadableLora(`its header is no JSON: ${toFailure(cause).message}`);
  }
  throw unreadableLora("its header is no list of tensors");
}

function stored(name: string, entry: unknown, data: Uint8Array): StoredTensor {
  if (!isRecord(entry)) throw unreadableLora(`"${name}" is no tensor`);
  const { dtype, shape, data_offsets: offsets } = entry;
  const kind = typeof dtype === "string" && Object.hasOwn(readers, dtype) ? dtype : undefined;
  const [read, width] = [kind && readers[kind], kind && WIDTHS[kind]];
  if (!read || !width) throw unreadableLora(`"${name}" is of type ${dtype}; F32, F16 and BF16 can be read`);
  if (!areCounts(shape) || !areCounts(offsets)) throw unreadableLora(`"${name}" has a shape or a place that is none`);
  const [from = 0, to = 0] = offsets;
  const size = shape.reduce((product, each) => product * each, width);
  if (to - from !== size || to > data.length) throw unreadableLora(`"${name}" is cut off`);
  return { shape, read: () => read(new Uint8Array(data.subarray(from, to))) };
}

const areCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((each) => Number.isSafeInteger(each) && each >= 0);
