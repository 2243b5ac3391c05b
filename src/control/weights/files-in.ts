// The files of a folder of weights as pipelines see them, read without opening any model.
import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Assets } from "../../core/pipeline.ts";

export const filesIn = (folder: string): Pick<Assets, "has" | "list" | "json"> => ({
  has: (path) => existsSync(join(folder, path)),
  list: (path) => (existsSync(join(folder, path)) ? readdirSync(join(folder, path)) : []),
  json: async <T>(path: string) => JSON.parse(await readFile(join(folder, path), "utf8")) as T, // whoever asks knows the file
});
