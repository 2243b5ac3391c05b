// The native libraries (onnxruntime, sharp): in the compiled executable they are unpacked and opened from there.
import { existsSync, readdirSync, realpathSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { ForecourtError, invariant } from "../../core/errors.ts";
import { embeddedFolder } from "../embedded/embedded.ts";
import { unpack } from "../embedded/unpack.ts";
import type { Place } from "../protocol.ts";

/** Its folder for onnxruntime. */
const ORT_FOLDER = "onnxruntime";

/** Name of the embedded folder with the libraries; its layout is what their rpaths expect (config/build/natives.ts). */
const NATIVES = "native";

/** One per process by nature: a library is mapped once, whoever asks for it. */
let unpacked: string | undefined;

/**
 * Makes `import "onnxruntime-node"` and `import "sharp"` possible; must end before either is imported. From source it
 * unpacks nothing: node_modules has the libraries. `runtime` is the directory to unpack into, about 65 MB; the providers
 * among the vendor's `libraries` are put where onnxruntime looks for them.
 */
export async function prepareNatives({ runtime, libraries }: Pick<Place, "runtime" | "libraries">): Promise<void> {
  const folder = embeddedFolder(NATIVES);
  if (folder) unpacked = await unpack({ folder, into: runtime });
  if (libraries !== undefined) linkProviders(libraries);
}

/** Where onnxruntime looks for its providers: beside itself, whatever the linker's path says. */
function linkProviders(libraries: string): void {
  const own = findRuntime();
  for (const name of readdirSync(libraries)) {
    if (!name.startsWith("libonnxruntime_providers_")) continue;
    const link = join(own, name);
    if (existsSync(link) && realpathSync(link) === realpathSync(join(libraries, name))) continue;
    // Two runners may start at once: each makes a link of its own, and one rename wins.
    const draft = `${link}.${process.pid}`;
    rmSync(draft, { force: true });
    symlinkSync(join(libraries, name), draft);
    renameSync(draft, link);
  }
}

/** The folder of libonnxruntime. */
const findRuntime = () =>
  unpacked === undefined
    ? join(
        dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json")),
        `bin/napi-v6/${process.platform}/${process.arch}`,
      )
    : join(unpacked, ORT_FOLDER);

/** Called by the packages' own loaders, which the build rewrites; `path` is relative to the unpacked folder. */
export function openNative(path: string): unknown {
  invariant(unpacked !== undefined, "prepareNatives comes before the first use of a native library");
  const module = { exports: {} };
  const file = join(unpacked, path);
  try {
    process.dlopen(module, file);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    // The linker's words for a file system that is mounted noexec.
    const way = reason.includes("failed to map segment")
      ? "Its file system may be mounted noexec; `forecourt doctor` says so, and --data names another place"
      : `Remove ${unpacked}, and it is unpacked again`;
    throw new ForecourtError("misconfigured", `${reason}. ${way}.`, { cause });
  }
  return module.exports;
}
