// Runs while bundling: the files of models/ become part of the program.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export type ModelFile = { file: string; text: string };

export function builtInModels(): ModelFile[] {
  const folder = join(import.meta.dir, "../../../models");
  const names = readdirSync(folder).filter((name) => name.endsWith(".yaml"));
  return names.sort().map((name) => ({ file: `models/${name}`, text: readFileSync(join(folder, name), "utf8") }));
}
