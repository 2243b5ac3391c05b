// A diffusion model with or without LoRAs: one at a time is in memory, the next one takes its place.
import { createHash } from "node:crypto";
import type { Assets, WeightChanges } from "../../core/pipeline.ts";
import { badLora } from "../lora/failures.ts";
import type { LoraFile } from "../lora/lora-field.ts";
import { type LoraPart, readLora } from "../lora/lora-file.ts";
import { changesOf } from "../lora/weight-changes.ts";
import { type DiffusionModel, type DrawsFrom, loadDiffusionModel } from "./diffusion-model.ts";
import { openRepository } from "./repository.ts";
import { type SafetyChecker, safetyCheckerOf } from "./safety-checker.ts";

export type AdaptableModel = Pick<DiffusionModel, "size"> & {
  assets: Assets;
  checker: SafetyChecker | undefined;
  /** Not to be used any more once another one was asked for. Throws `invalid_input` for LoRAs that do not fit. */
  with(loras: readonly LoraFile[]): Promise<DiffusionModel>;
};

export async function loadAdaptableModel(assets: Assets, how: DrawsFrom): Promise<AdaptableModel> {
  const plain = await loadDiffusionModel(assets, how);
  let current: { key: string; model: DiffusionModel } | undefined = { key: "", model: plain };
  return {
    assets,
    checker: safetyCheckerOf(assets),
    size: plain.size,
    async with(loras) {
      const key = loras
        .map(({ bytes, scale }) => `${createHash("sha256").update(bytes).digest("hex")} ${scale}`)
        .join("\n");
      if (current?.key === key) return current.model;
      const changes = changesOf(
        loras.map(({ bytes, scale }) => ({ modules: readLora(bytes), scale })),
        key,
      );
      checkParts(changes, assets);
      // Should it fail half-way, the parts of the earlier model are of two kinds: it is to be loaded anew.
      current = undefined;
      const model = await loadDiffusionModel(changes.size > 0 ? changed(assets, changes) : assets, how);
      current = { key, model };
      return model;
    },
  };
}

function checkParts(changes: ReadonlyMap<LoraPart, WeightChanges>, assets: Assets): void {
  const repository = openRepository(assets);
  const missing = [...changes.keys()].find((part) => !repository.has(part));
  if (missing)
    throw badLora(
      `The LoRA changes the part "${missing}", which this model does not have: it is of another kind of model`,
    );
}

function changed(assets: Assets, changes: ReadonlyMap<string, WeightChanges>): Assets {
  const partOf = (path: string) => path.replace(/(\/model)?\.onnx$/, "");
  return {
    ...assets,
    graph(path, options) {
      const own = changes.get(partOf(path));
      return assets.graph(path, { ...options, ...(own && { changes: own }) });
    },
  };
}
