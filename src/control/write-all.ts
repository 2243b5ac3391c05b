// Writes bytes to a file, all of them: one call of the system may take a part, as on a disk that is about to be full.
import type { FileHandle } from "node:fs/promises";

/** From `position` on; without it, where the last write ended. Throws what the system says of the part that it did not take. */
export async function writeAll(file: FileHandle, content: Uint8Array, position?: number): Promise<void> {
  for (let at = 0; at < content.byteLength; ) {
    const place = position === undefined ? null : position + at;
    at += (await file.write(content, at, content.byteLength - at, place)).bytesWritten;
  }
}
