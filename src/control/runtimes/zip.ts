// Reads files out of a zip archive, the form of the vendors' packages: its directory, then each wanted file as a stream.
import { createWriteStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createInflateRaw } from "node:zlib";
import { ForecourtError } from "../../core/errors.ts";

export type ZipEntry = { path: string; size: number; compressed: number; at: number; isDeflated: boolean };

/** Signatures and fixed sizes of PKWARE's APPNOTE 6.3 (4.3.7, 4.3.12, 4.3.16). */
const END = { signature: 0x06054b50, size: 22, longestComment: 65_535 };
const DIRECTORY = { signature: 0x02014b50, size: 46 };
const LOCAL = { signature: 0x04034b50, size: 30 };
const [STORED, DEFLATED] = [0, 8];

/** Packages of 4 GiB and more have another directory (ZIP64), which is not read. Throws `misconfigured` for what is no zip. */
export async function readZip(path: string): Promise<ZipEntry[]> {
  await using file = await open(path);
  const { size } = await file.stat();
  const tail = await read(file, Math.max(0, size - END.size - END.longestComment), Math.min(size, END.size + 65_535));
  const at = findEnd(tail);
  if (at === undefined) throw broken(path, "it has no directory");
  const [count, bytes, offset] = [tail.readUInt16LE(at + 10), tail.readUInt32LE(at + 12), tail.readUInt32LE(at + 16)];
  const directory = await read(file, offset, bytes);
  const entries: ZipEntry[] = [];
  for (let next = 0; entries.length < count; ) {
    if (next + DIRECTORY.size > directory.length || directory.readUInt32LE(next) !== DIRECTORY.signature)
      throw broken(path, "its directory ends early");
    const [name, extra, comment] = [28, 30, 32].map((field) => directory.readUInt16LE(next + field));
    const method = directory.readUInt16LE(next + 10);
    const start = next + DIRECTORY.size;
    const entry = directory.toString("utf8", start, start + (name ?? 0));
    if (method !== STORED && method !== DEFLATED) throw broken(path, `${entry} is compressed in an unknown way`);
    entries.push({
      ...{ path: entry, isDeflated: method === DEFLATED },
      ...{ compressed: directory.readUInt32LE(next + 20), size: directory.readUInt32LE(next + 24) },
      at: directory.readUInt32LE(next + 42),
    });
    next = start + (name ?? 0) + (extra ?? 0) + (comment ?? 0);
  }
  return entries;
}

/** Writes one file of the archive to `to`, readable and not executable. Throws `misconfigured` when it is damaged. */
export async function extract(path: string, entry: ZipEntry, to: string): Promise<void> {
  await using file = await open(path);
  const local = await read(file, entry.at, LOCAL.size);
  if (local.readUInt32LE(0) !== LOCAL.signature) throw broken(path, `${entry.path} is not where the directory says`);
  const start = entry.at + LOCAL.size + local.readUInt16LE(26) + local.readUInt16LE(28);
  const content = file.createReadStream({ start, end: start + entry.compressed - 1, autoClose: false });
  const target = createWriteStream(to, { mode: 0o644, flags: "wx", flush: true });
  try {
    await (entry.isDeflated ? pipeline(content, createInflateRaw(), target) : pipeline(content, target));
  } catch (cause) {
    throw broken(path, `${entry.path} cannot be unpacked`, cause);
  }
  if (target.bytesWritten !== entry.size) throw broken(path, `${entry.path} is cut off`);
}

function findEnd(tail: Buffer): number | undefined {
  for (let at = tail.length - END.size; at >= 0; at--) if (tail.readUInt32LE(at) === END.signature) return at;
  return undefined;
}

async function read(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(length), position, length });
  return buffer.subarray(0, bytesRead);
}

const broken = (path: string, why: string, cause?: unknown) =>
  new ForecourtError("misconfigured", `${path} is not a package that can be used: ${why}.`, { cause });
