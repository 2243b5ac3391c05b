// The repository's root, which every path of the build starts from.
import { resolve } from "node:path";

export const ROOT = resolve(import.meta.dir, "../..");
