// The file format of LoRAs: a JSON header that says where each tensor lies, then their numbers.
import { toFailure } from "../../core/errors.ts";
import { unreadableLora } from "./failures.ts";

export type StoredTensor = { shape: readonly number[]; read(): Float32Array };

export type Safetensors = { tensors: Map<string, StoredTensor>; metadata: Record<string, string> };

type Entry = { dtype: string; shape: number[]; data_offsets: [number, number] };
type Header = { __metadata__?: Record<string, string> } & Record<string, Entry>;

/** The library's own bound (safetensors/src/tensor.rs). */
const LARGEST_HEADER = 100_000_000;

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
    throw unreadableLora("it is no safetensors file");
  const { __metadata__: metadata = {}, ...entries } = headerOf(bytes.subarray(8, 8 + length));
  const data = bytes.subarray(8 + length);
  const tensors = Object.entries(entries).map(([name, entry]): [string, StoredTensor] => [
    name,
    stored(name, entry, data),
  ]);
  return { tensors: new Map(tensors), metadata };
}

function headerOf(bytes: Uint8Array): Header {
  try {
    const header: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof header === "object" && header !== null) return header as Header; // each entry is checked in `stored`
  } catch (cause) {
    throw unreadableLora(`its header is no JSON: ${toFailure(cause).message}`);
  }
  throw unreadableLora("its header is no list of tensors");
}

function stored(name: string, { dtype, shape, data_offsets: offsets }: Entry, data: Uint8Array): StoredTensor {
  const read = readers[dtype];
  if (!read) throw unreadableLora(`"${name}" is of type ${dtype}; F32, F16 and BF16 can be read`);
  const [from = 0, to = 0] = Array.isArray(offsets) ? offsets : [];
  const size = Array.isArray(shape) ? shape.reduce((product, each) => product * each, 1) : Number.NaN;
  const isWhole = to - from === size * (WIDTHS[dtype] ?? 0) && from >= 0 && to <= data.length;
  if (!isWhole) throw unreadableLora(`"${name}" is cut off`);
  return { shape, read: () => read(new Uint8Array(data.subarray(from, to))) };
}
