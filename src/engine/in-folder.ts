// A model inside of a model: a folder of the weights as if it were all of them.
import type { Assets } from "../core/pipeline.ts";

export const inFolder = (assets: Assets, folder: string): Assets => ({
  ...assets,
  has: (path) => assets.has(`${folder}/${path}`),
  list: (path) => assets.list(`${folder}/${path}`),
  graph: (path, options) => assets.graph(`${folder}/${path}`, options),
  json: (path) => assets.json(`${folder}/${path}`),
  text: (path) => assets.text(`${folder}/${path}`),
  bytes: (path) => assets.bytes(`${folder}/${path}`),
});
