// Writes bytes to a file, all of them: one call of the system may take a part, as on a disk that is about to be full.
import type { FileHandle } from "node:fs/promises";

/** Throws what the system says of the part that it did not take. */
export async function writeAll(file: FileHandle, content: Uint8Array): Promise<void> {
  for (let at = 0; at < content.byteLength; ) at += (await file.write(content, at)).bytesWritten;
}
