// What sets SigLIP apart from CLIP: how its texts are read, and pictures of which it sees the shape that it cannot here.
import { ForecourtError } from "../../core/errors.ts";
import type { Assets } from "../../core/pipeline.ts";
import type { PreprocessorConfig } from "../vision/preprocess.ts";

/** By `model_type` of config.json; SigLIP 2 of a fixed resolution calls itself siglip too. */
export const isSiglip = (modelType: string | undefined) => /^siglip2?$/.test(modelType ?? "");

/** Throws `misconfigured` for NaFlex. */
export async function readPictureConfig(assets: Assets): Promise<PreprocessorConfig> {
  const config = await assets.json<PreprocessorConfig & { max_num_patches?: number }>("preprocessor_config.json");
  if (config.max_num_patches === undefined) return config;
  throw new ForecourtError("misconfigured", NAFLEX);
}

export const NAFLEX =
  "SigLIP 2 NaFlex, which sees pictures in their own shape, is not run: take SigLIP 2 of a fixed resolution, e.g. onnx-community/siglip2-base-patch16-224-ONNX";
