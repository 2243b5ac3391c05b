// Which of a vendor's libraries are installed in the data directory.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { dependencies } from "../../../package.json" with { type: "json" };

/** The libraries are those for this onnxruntime: another one looks for its own. */
export const ONNXRUNTIME = dependencies["onnxruntime-node"];

/** A folder gets its name only when it is complete. */
export const cudaFolder = (data: string): string => join(data, "runtime", `cuda-${ONNXRUNTIME}`);

/** Undefined when `forecourt runtime install cuda` was not run for this version. */
export function installedCuda(data: string): string | undefined {
  const folder = cudaFolder(data);
  return existsSync(folder) ? folder : undefined;
}
