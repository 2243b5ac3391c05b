// Several folders of weights as one: a file is taken from the first that has it, so that variants need not repeat it.
import type { Assets } from "../../../src/core/pipeline.ts";
import { openFolder } from "./load.ts";

export function openOverlay(folders: readonly string[]): Assets {
  const all = folders.map((folder) => openFolder(folder));
  const last = all.at(-1);
  if (!last) throw new Error("an overlay of nothing");
  const holder = (path: string) => all.find((assets) => assets.has(path)) ?? last;
  return {
    codec: last.codec,
    list: (path) => [...new Set(all.flatMap((assets) => assets.list(path)))],
    has: (path) => holder(path).has(path),
    graph: (path, options) => holder(path).graph(path, options),
    text: (path) => holder(path).text(path),
    bytes: (path) => holder(path).bytes(path),
    phonemes: (texts, language) => last.phonemes(texts, language),
    transformers: (className) => last.transformers(className),
    json: <T>(path: string) => holder(path).json<T>(path),
  };
}
