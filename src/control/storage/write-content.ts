// Streams bytes to a file that is there complete or not at all: a temporary name, bounded, hashed, renamed.
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { ForecourtError } from "../../core/errors.ts";
import { type Bytes, bytes } from "../../core/units.ts";
import { isDiskFull } from "../weights/disk/space.ts";

export type Content = AsyncIterable<Uint8Array>;
/** `digest` is SHA-256, hexadecimal. */
export type Written = { size: Bytes; digest: string };

export type Target = {
  /** A name on the same file system that nobody else uses. */
  temporary: string;
  /** Where it goes, by what was written. */
  path: (written: Written) => string;
  maxBytes: number;
};

/**
 * Throws `payload_too_large` beyond `maxBytes`, `unavailable` when the disk is full, and what `content` throws; nothing
 * is left behind then.
 */
export async function writeContent(content: Content, { temporary, path, maxBytes }: Target): Promise<Written> {
  try {
    await makeFolder(temporary);
    const written = await stream(content, temporary, maxBytes);
    const target = path(written);
    await makeFolder(target);
    await rename(temporary, target);
    return written;
  } catch (error) {
    await rm(temporary, { force: true });
    throw isDiskFull(error) ? diskFull(error) : error;
  }
}

const makeFolder = (file: string) => mkdir(dirname(file), { recursive: true, mode: 0o700 });

async function stream(content: Content, path: string, maxBytes: number): Promise<Written> {
  const hasher = new Bun.CryptoHasher("sha256");
  let size = 0;
  await using file = await open(path, "wx", 0o600);
  for await (const chunk of content) {
    size += chunk.byteLength;
    if (size > maxBytes) throw tooLarge(maxBytes);
    hasher.update(chunk);
    for (let at = 0; at < chunk.byteLength; ) at += (await file.write(chunk, at)).bytesWritten;
  }
  await file.datasync();
  return { size: bytes(size), digest: hasher.digest("hex") };
}

const tooLarge = (maxBytes: number) =>
  new ForecourtError("payload_too_large", `The file is larger than the ${maxBytes} bytes that may be uploaded.`, {
    details: { limit: maxBytes },
  });

const diskFull = (cause: unknown) =>
  new ForecourtError(
    "unavailable",
    "The disk of this box is full; nothing of the file was kept. Send it again later.",
    {
      cause,
    },
  );
