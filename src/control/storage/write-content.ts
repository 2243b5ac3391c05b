// Streams bytes to a file that is there complete or not at all: a temporary name, bounded, hashed, handed on.
import { mkdir, open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { ForecourtError } from "../../core/errors.ts";
import { type Bytes, bytes } from "../../core/units.ts";
import { isDiskFull } from "../disk-full.ts";
import { writeAll } from "../write-all.ts";

export type Content = AsyncIterable<Uint8Array>;
/** `digest` is SHA-256, hexadecimal. */
export type Written = { size: Bytes; digest: string };

export type Target = {
  /** A name that nobody else uses. */
  temporary: string;
  maxBytes: number;
  /** Takes the complete file to where it belongs; what it leaves is removed. */
  keep: (written: Written) => Promise<void>;
};

/**
 * Throws `payload_too_large` beyond `maxBytes`, `unavailable` when the disk is full, and what `content` throws; nothing
 * is left behind then.
 */
export async function writeContent(content: Content, { temporary, maxBytes, keep }: Target): Promise<Written> {
  try {
    await mkdir(dirname(temporary), { recursive: true, mode: 0o700 });
    const written = await stream(content, temporary, maxBytes);
    await keep(written);
    return written;
  } catch (error) {
    throw isDiskFull(error) ? diskFull(error) : error;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function stream(content: Content, path: string, maxBytes: number): Promise<Written> {
  const hasher = new Bun.CryptoHasher("sha256");
  let size = 0;
  await using file = await open(path, "wx", 0o600);
  for await (const chunk of content) {
    size += chunk.byteLength;
    if (size > maxBytes) throw tooLarge(maxBytes);
    hasher.update(chunk);
    await writeAll(file, chunk);
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
