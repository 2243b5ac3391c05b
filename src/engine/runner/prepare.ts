// What a process that waits for a model can do ahead: load the libraries, and bring files into the page cache.
import { open, readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Place } from "../protocol.ts";
import { readSoon } from "./libc.ts";
import { prepareNatives } from "./native.ts";

/** Maps onnxruntime and the image codec; the device itself is not touched, so that no memory on it is held. */
export async function prepare(place: Place): Promise<void> {
  await prepareNatives(place);
  await Promise.all([import("./session.ts"), import("./codec.ts")]);
}

/**
 * The kernel reads a graph and its data beside it (`model.onnx_data`, `model.onnx.data`) at the disk's full rate while
 * onnxruntime makes it: external data are mapped, and would else be read page by page as they are touched.
 */
export async function readMeanwhile(graph: string): Promise<void> {
  const names = await readdir(dirname(graph)).catch(() => []);
  for (const name of names.filter((each) => each.startsWith(basename(graph)))) {
    const file = await open(join(dirname(graph), name)).catch(() => undefined);
    if (!file) continue;
    try {
      readSoon(file.fd);
    } finally {
      await file.close();
    }
  }
}

/** Large enough for a disk's full rate, small enough to stop soon. */
const CHUNK = 8 * 1024 * 1024;

/** Reads all files below a folder, in other threads than JavaScript's; ends early when told to. A file that goes meanwhile is no matter. */
export async function readAhead(folder: string, signal: AbortSignal): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const chunk = Buffer.allocUnsafe(CHUNK);
  for (const entry of entries) {
    // Files of the Hub's layout are links.
    if (entry.isDirectory() || signal.aborted) continue;
    const file = await open(join(entry.parentPath, entry.name)).catch(() => undefined);
    if (!file) continue;
    try {
      while (!signal.aborted && (await file.read(chunk, 0, CHUNK)).bytesRead > 0);
    } catch {
      // A link to a folder, or a disk that fails: the load will tell, if it matters.
    } finally {
      await file.close();
    }
  }
}
