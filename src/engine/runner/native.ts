// The native libraries (onnxruntime, sharp): in the compiled executable they are unpacked and opened from there.
import { join } from "node:path";
import { invariant } from "../../core/errors.ts";
import { embeddedFolder } from "../embedded/embedded.ts";
import { unpack } from "../embedded/unpack.ts";

/** Name of the embedded folder with the libraries; its layout is what their rpaths expect (config/build/natives.ts). */
export const NATIVES = "native";

/** One per process by nature: a library is mapped once, whoever asks for it. */
let unpacked: string | undefined;

/**
 * Makes `import "onnxruntime-node"` and `import "sharp"` possible; must end before either is imported. From source it
 * does nothing: node_modules has the libraries. `runtime` is the directory to unpack into, about 65 MB.
 */
export async function prepareNatives(runtime: string): Promise<void> {
  const folder = embeddedFolder(NATIVES);
  if (folder) unpacked = await unpack({ folder, into: runtime });
}

/** Called by the packages' own loaders, which the build rewrites; `path` is relative to the unpacked folder. */
export function openNative(path: string): unknown {
  invariant(unpacked !== undefined, "prepareNatives comes before the first use of a native library");
  const module = { exports: {} };
  process.dlopen(module, join(unpacked, path));
  return module.exports;
}
