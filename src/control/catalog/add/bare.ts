// Repositories that say nothing of themselves, neither by a model_index.json nor by a config.json: the names of their files do.
import type { PipelineName } from "../../../engine/pipelines/registry.ts";
import { basicPitch, hasBasicPitch } from "./basic-pitch.ts";
import { bareEraser, hasBareEraser } from "./erasing.ts";
import type { Family, Wishes } from "./finding.ts";
import { hasMediapipePose, hasMotionWords, hasWholeBody, mediapipePose, motionWords, wholeBody } from "./motion.ts";
import { barePose, hasBarePose } from "./pose.ts";
import type { Repository } from "./repository.ts";
import { hasPointMap, hasTripoSr, pointMap, tripoSr } from "./three-dimensional.ts";
import { bareUpscaler, hasBareUpscaler } from "./upscaling.ts";

type Layout = {
  pipeline: PipelineName;
  /** For people. */
  names: string;
  has(repository: Repository): boolean;
  family: Family;
};

/** The first that fits is taken, unless another's pipeline is wished for. */
const LAYOUTS: readonly Layout[] = [
  { pipeline: "upscale", names: "*esrgan*.onnx", has: hasBareUpscaler, family: bareUpscaler },
  { pipeline: "erase", names: "*lama.onnx", has: hasBareEraser, family: bareEraser },
  { pipeline: "capture-motion", names: "rtmw3d*.onnx", has: hasWholeBody, family: wholeBody },
  {
    pipeline: "capture-motion",
    names: "pose_estimation_mediapipe*.onnx",
    has: hasMediapipePose,
    family: mediapipePose,
  },
  {
    pipeline: "estimate-pose",
    names: "*yolo*pose*.onnx, dw-*ucoco*.onnx, *rtmpose*.onnx, *rtmw-*.onnx",
    has: hasBarePose,
    family: barePose,
  },
  {
    pipeline: "image-to-3d",
    names: "triposr_encoder*.onnx and triposr_decoder.onnx, or triplane*.onnx and decoder.onnx",
    has: hasTripoSr,
    family: tripoSr,
  },
  {
    pipeline: "image-to-scene",
    names: "moge-2*.onnx, or model*.onnx in a repository of that name",
    has: hasPointMap,
    family: pointMap,
  },
  {
    pipeline: "text-to-motion",
    names: "t2m.onnx and t2m-vocab.json or vocab.json",
    has: hasMotionWords,
    family: motionWords,
  },
  { pipeline: "audio-to-midi", names: "nmp.onnx", has: hasBasicPitch, family: basicPitch },
];

/** Undefined where no names fit. */
export function bareFamily(repository: Repository, { pipeline }: Pick<Wishes, "pipeline">): Family | undefined {
  const fitting = LAYOUTS.filter(({ has }) => has(repository));
  const taken = fitting.find((layout) => layout.pipeline === pipeline) ?? fitting[0];
  if (!taken) return undefined;
  const others = new Set(fitting.map((layout) => layout.pipeline)).difference(new Set([taken.pipeline]));
  return (...given) => {
    const finding = taken.family(...given);
    const also = [...others].map((other) => `Its files are of use to ${other} too: --pipeline ${other} adds that.`);
    return { ...finding, unsure: [...finding.unsure, ...also] };
  };
}

/** What such a repository would have to hold, for people. */
export const bareNames = LAYOUTS.map(({ pipeline, names }) => `${names} (${pipeline})`).join("; ");
