// The demo models' weights, which the executable carries so that a box without a network has something to serve.
import { existsSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { FileSet } from "./natives.ts";
import { ROOT } from "./root.ts";

const MODELS = resolve(ROOT, "models");
/** Folders of models/, named as in the `source.embedded` of the model files. */
const FOLDERS = ["demo/diffusion", "demo/clip", "demo/llama"];

/** Folder name -> its files; a folder that was not trained yet is left out. */
export function demoWeights(): Record<string, FileSet> {
  const present = FOLDERS.filter((name) => existsSync(join(MODELS, name)));
  return Object.fromEntries(present.map((name) => [name, filesIn(join(MODELS, name))]));
}

function filesIn(folder: string): FileSet {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return new Map(
    paths
      .filter((path) => statSync(join(folder, path)).isFile())
      .map((path) => [path.replaceAll("\\", "/"), join(folder, path)]),
  );
}
