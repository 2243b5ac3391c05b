// Every pipeline by name; the keys are the allowed values of `pipeline` in a model file.
import type { Pipeline } from "../../core/pipeline.ts";
import { audioTextSimilarity } from "./audio-text-similarity.ts";
import { audioToMidi } from "./audio-to-midi.ts";
import { captureMotion } from "./capture-motion.ts";
import { chat } from "./chat.ts";
import { checkImage } from "./check-image.ts";
import { classifyImage } from "./classify-image.ts";
import { classifyText } from "./classify-text.ts";
import { controlImage } from "./control-image.ts";
import { cropImage } from "./crop-image.ts";
import { detectObjects } from "./detect-objects.ts";
import { echo } from "./echo.ts";
import { editImage } from "./edit-image.ts";
import { embed } from "./embed.ts";
import { erase } from "./erase.ts";
import { estimateDepth } from "./estimate-depth.ts";
import { estimatePose } from "./estimate-pose.ts";
import { imageTextSimilarity } from "./image-text-similarity.ts";
import { imageTo3d } from "./image-to-3d.ts";
import { imageToImage } from "./image-to-image.ts";
import { imageToScene } from "./image-to-scene.ts";
import { imageToVideo } from "./image-to-video.ts";
import { inpaint } from "./inpaint.ts";
import { makeMusic } from "./make-music.ts";
import { onnx } from "./onnx.ts";
import { readImage } from "./read-image.ts";
import { removeBackground } from "./remove-background.ts";
import { rerank } from "./rerank.ts";
import { segmentAll } from "./segment-all.ts";
import { segmentImage } from "./segment-image.ts";
import { speak } from "./speak.ts";
import { textToImage } from "./text-to-image.ts";
import { textToMotion } from "./text-to-motion.ts";
import { textToVideo } from "./text-to-video.ts";
import { transcribe } from "./transcribe.ts";
import { upscale } from "./upscale.ts";

export const pipelines = {
  "audio-text-similarity": audioTextSimilarity,
  "audio-to-midi": audioToMidi,
  "capture-motion": captureMotion,
  "check-image": checkImage,
  "classify-image": classifyImage,
  "control-image": controlImage,
  "crop-image": cropImage,
  chat,
  "classify-text": classifyText,
  echo,
  "detect-objects": detectObjects,
  "edit-image": editImage,
  embed,
  "estimate-depth": estimateDepth,
  "estimate-pose": estimatePose,
  erase,
  "image-text-similarity": imageTextSimilarity,
  "image-to-3d": imageTo3d,
  "image-to-image": imageToImage,
  "image-to-scene": imageToScene,
  "image-to-video": imageToVideo,
  inpaint,
  "make-music": makeMusic,
  onnx,
  "read-image": readImage,
  "remove-background": removeBackground,
  rerank,
  "segment-all": segmentAll,
  "segment-image": segmentImage,
  speak,
  "text-to-image": textToImage,
  "text-to-video": textToVideo,
  "text-to-motion": textToMotion,
  transcribe,
  upscale,
} as const satisfies Record<string, unknown>;

export type PipelineName = keyof typeof pipelines;
export const pipelineNames = Object.keys(pipelines) as PipelineName[];

type Declared = { pipeline: PipelineName; defaults?: Record<string, unknown> } & Parameters<typeof onnx.of>[0] &
  Parameters<typeof embed.of>[0] &
  Parameters<typeof imageTextSimilarity.of>[0];

/**
 * A model's pipeline; of some the schemas follow from what the model file declares, and a wrong declaration throws
 * `misconfigured`. The one place where a pipeline's own types are forgotten: callers validate with its schemas.
 */
export function pipelineOf(model: Declared): Pipeline {
  const pipeline = pipelines[model.pipeline];
  return ("of" in pipeline ? pipeline.of(model) : pipeline) as unknown as Pipeline;
}
