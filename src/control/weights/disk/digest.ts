// The hash that tells a file's content: sha256 for large files, git's blob sha1 for the Hub's small ones.
import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";

/** `hex` is the lower-case hash; it is also the name of the file's blob on disk. */
export type Digest = { algorithm: "sha256" | "git-sha1"; hex: string };

const READ_BYTES = 512 * 1024;

export const digestText = ({ algorithm, hex }: Digest) => `${algorithm}:${hex}`;

/** The digest that a blob is named after, in our layout as in Hugging Face's; undefined for any other name. */
export function digestOfName(name: string): Digest | undefined {
  if (/^[0-9a-f]{64}$/.test(name)) return { algorithm: "sha256", hex: name };
  if (/^[0-9a-f]{40}$/.test(name)) return { algorithm: "git-sha1", hex: name };
  return undefined;
}

/** git hashes `blob SIZE\0` before the content, so the size must be known at the start. */
export function createHasher(algorithm: Digest["algorithm"], bytes: number): Bun.CryptoHasher {
  if (algorithm === "sha256") return new Bun.CryptoHasher("sha256");
  return new Bun.CryptoHasher("sha1").update(`blob ${bytes}\0`);
}

export type ReadOptions = { signal?: AbortSignal; onProgress?: (at: number) => void };

/** Reads a file in order, from `from` up to `to`; ends early where the file ends. The chunk is overwritten by the next. */
export async function* readChunks(
  file: FileHandle,
  { from, to, signal }: { from: number; to: number; signal?: AbortSignal },
): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, Math.max(1, to - from)));
  for (let at = from; at < to; ) {
    signal?.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.byteLength, to - at), at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Hash of a whole file, as hex. */
export async function hashFile(
  path: string,
  algorithm: Digest["algorithm"],
  options: ReadOptions = {},
): Promise<string> {
  await using file = await open(path, "r");
  const { size } = await file.stat();
  const hasher = createHasher(algorithm, size);
  let at = 0;
  for await (const chunk of readChunks(file, {
    from: 0,
    to: size,
    ...(options.signal && { signal: options.signal }),
  })) {
    hasher.update(chunk);
    at += chunk.byteLength;
    options.onProgress?.(at);
  }
  return hasher.digest("hex");
}
