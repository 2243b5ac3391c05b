// Codecs in WebAssembly: each use has an instance of its own, whose memory ends with it, and which cannot reach anything outside.
import { readFile } from "node:fs/promises";

/** What all of the codecs export; each adds its own functions. */
export type CodecMemory = {
  memory: WebAssembly.Memory;
  _initialize(): void;
  allocate(bytes: number): number;
  release(at: number): void;
};

/** Compiled once for all uses. */
const compiled = new Map<string, Promise<WebAssembly.Module>>();

/** The codec asks its system for nothing that it needs: each question is answered by WASI's "not supported". */
const NOT_SUPPORTED = 58;

/** `path` of one of wasm/'s files, `Exports` as its source declares them. */
export async function openCodec<Exports extends CodecMemory>(path: string): Promise<Exports> {
  const module = await (compiled.get(path) ?? compile(path));
  const imports = WebAssembly.Module.imports(module).map(({ name }) => [name, () => NOT_SUPPORTED]);
  const { exports } = await WebAssembly.instantiate(module, { wasi_snapshot_preview1: Object.fromEntries(imports) });
  // The names and types are those of the functions that wasm/ marks for export.
  const codec = exports as unknown as Exports;
  codec._initialize();
  return codec;
}

function compile(path: string): Promise<WebAssembly.Module> {
  const compiling = readFile(path).then((bytes) => WebAssembly.compile(bytes));
  compiled.set(path, compiling);
  return compiling;
}

/** Valid until the codec is called again: its memory may move. */
export const bytesAt = ({ memory }: CodecMemory, at: number, length: number) =>
  new Uint8Array(memory.buffer, at, length);

/** Gives the bytes to the codec for the time of one call. Undefined where the codec has no memory left for them. */
export function withBytes<Result>(codec: CodecMemory, bytes: Uint8Array, use: (at: number) => Result) {
  const at = codec.allocate(bytes.length);
  if (at === 0) return undefined;
  bytesAt(codec, at, bytes.length).set(bytes);
  try {
    return use(at);
  } finally {
    codec.release(at);
  }
}
