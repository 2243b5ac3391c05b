// The models of models/. The bundler replaces this file by one that has read them (config/build/built-in-models.ts):
// an executable reads no YAML when it starts.
import type { Model } from "../../engine/model.ts";
import { builtInModels } from "./models.macro.ts" with { type: "macro" };
import { readModel } from "./read-model.ts";

export type ReadModel = { file: string; model: Model };

export const readBuiltIn = (): ReadModel[] =>
  builtInModels().map((file) => ({ file: file.file, model: readModel(file) }));
