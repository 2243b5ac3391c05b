// Writing and reading a tar archive of plain files as a stream, each file hashed on the way.
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { type FileHandle, mkdir, open, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ForecourtError } from "../../core/errors.ts";
import { isDiskFull } from "../disk-full.ts";
import { writeAll } from "../write-all.ts";
import { BLOCK, damaged, readTarHeader, type TarEntry, tarHeader } from "./tar-header.ts";

export type Packed = { name: string; size: number; sha256: string };

const padding = (size: number) => (BLOCK - (size % BLOCK)) % BLOCK;

/** Appends to `to`. A file that shrinks meanwhile is filled up with zeros: its hash is of what was written. */
export async function packFile(to: FileHandle, { name, path }: { name: string; path: string }): Promise<Packed> {
  const { size } = await stat(path);
  await writeAll(to, tarHeader({ name, size }));
  const hash = createHash("sha256");
  let written = 0;
  const put = async (chunk: Buffer) => {
    hash.update(chunk);
    await writeAll(to, chunk);
    written += chunk.byteLength;
  };
  if (size > 0) for await (const chunk of createReadStream(path, { end: size - 1 })) await put(chunk);
  while (written < size) await put(Buffer.alloc(Math.min(1 << 16, size - written)));
  await writeAll(to, Buffer.alloc(padding(size)));
  return { name, size, sha256: hash.digest("hex") };
}

export async function packText(to: FileHandle, { name, text }: { name: string; text: string }): Promise<void> {
  const content = Buffer.from(text);
  await writeAll(to, tarHeader({ name, size: content.byteLength }));
  await writeAll(to, Buffer.concat([content, Buffer.alloc(padding(content.byteLength))]));
}

export const packEnd = (to: FileHandle) => writeAll(to, Buffer.alloc(2 * BLOCK));

/**
 * Writes every file below `folder`. Throws `bad_request` for an archive that is cut short or holds unsafe names, and
 * `unavailable` when the disk becomes full.
 */
export async function unpack(archive: string, folder: string): Promise<Packed[]> {
  await using from = await open(archive, "r");
  const files: Packed[] = [];
  for (let position = 0; ; ) {
    const header = Buffer.alloc(BLOCK);
    const { bytesRead } = await from.read(header, 0, BLOCK, position);
    if (bytesRead < BLOCK) throw damaged("it ends before its end");
    const entry = readTarHeader(header);
    if (!entry) {
      await expectZeros(from, { from: position, to: position + 2 * BLOCK });
      return files;
    }
    files.push(await unpackOne(archive, { entry, position: position + BLOCK, folder }));
    const end = position + BLOCK + entry.size;
    position = end + padding(entry.size);
    await expectZeros(from, { from: end, to: position });
  }
}

/** What fills a file up to its block, and the end. */
async function expectZeros(archive: FileHandle, { from, to }: { from: number; to: number }): Promise<void> {
  const filling = Buffer.alloc(to - from);
  await archive.read(filling, 0, filling.byteLength, from);
  if (filling.some((byte) => byte !== 0)) throw damaged("something lies between its files");
}

type Place = { entry: TarEntry; position: number; folder: string };

async function unpackOne(archive: string, { entry: { name, size }, position, folder }: Place): Promise<Packed> {
  if (!isSafe(name)) throw damaged(`it names a file ${JSON.stringify(name)}`);
  const path = join(folder, name);
  if (existsSync(path)) throw damaged(`it holds ${name} twice`);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const hash = createHash("sha256");
  let written = 0;
  const hashed = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      hash.update(chunk);
      written += chunk.byteLength;
      yield chunk;
    }
  };
  const content =
    size > 0 ? createReadStream(archive, { start: position, end: position + size - 1 }) : Readable.from([]);
  try {
    await pipeline(content, hashed, createWriteStream(path, { mode: 0o600, flags: "wx" }));
  } catch (error) {
    throw isDiskFull(error) ? diskFull(folder, error) : error;
  }
  if (written < size) throw damaged(`${name} is cut short`);
  return { name, size, sha256: hash.digest("hex") };
}

/** Relative, and it leaves no folder. */
const isSafe = (name: string) =>
  /^[\w.@-][^\0]*$/.test(name) && !name.split("/").some((part) => part === ".." || part === "." || part === "");

const diskFull = (folder: string, cause: unknown) =>
  new ForecourtError(
    "unavailable",
    `The disk became full while the archive was unpacked below ${dirname(folder)}. Nothing was changed: free some space and try again.`,
    { cause },
  );
