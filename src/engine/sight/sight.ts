// How a language model sees: what stands for a picture in its prompt, and the vectors that its vision tower makes of one.
import type { Assets } from "../../core/pipeline.ts";
import { idefics3 } from "./idefics3.ts";
import type { Sight, SightConfig, SightParts } from "./look.ts";
import { qwen2Vl } from "./qwen2-vl.ts";

const TOWER = "onnx/vision_encoder.onnx";

/** By `model_type` of config.json. */
const KINDS: Record<string, (parts: SightParts) => Promise<Sight>> = {
  idefics3,
  smolvlm: idefics3,
  qwen2_vl: qwen2Vl,
  qwen2_5_vl: qwen2Vl,
};

/** Undefined for a model that reads text only. */
export async function loadSight(assets: Assets, config: SightConfig): Promise<Sight | undefined> {
  const kind = KINDS[config.model_type ?? ""];
  return kind && assets.has(TOWER) ? await kind({ assets, config, tower: await assets.graph(TOWER) }) : undefined;
}
