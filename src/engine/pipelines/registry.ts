// Every pipeline by name; the keys are the allowed values of `pipeline` in a model file.
import type { Pipeline } from "../../core/pipeline.ts";
import { echo } from "./echo.ts";
import { imageTextSimilarity } from "./image-text-similarity.ts";
import { imageToImage } from "./image-to-image.ts";
import { inpaint } from "./inpaint.ts";
import { textToImage } from "./text-to-image.ts";

export const pipelines = {
  echo,
  "image-text-similarity": imageTextSimilarity,
  "image-to-image": imageToImage,
  inpaint,
  "text-to-image": textToImage,
} as const satisfies Record<string, unknown>;

export type PipelineName = keyof typeof pipelines;
export const pipelineNames = Object.keys(pipelines) as PipelineName[];

/** The one place where a pipeline's own types are forgotten: callers validate with its schemas. */
export const pipelineOf = (name: PipelineName) => pipelines[name] as unknown as Pipeline;
