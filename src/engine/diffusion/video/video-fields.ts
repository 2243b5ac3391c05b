// What the pipelines that make videos share: fal's fields (fal-protocol.md 12) and fal's answer.
import { ForecourtError } from "../../../core/errors.ts";
import { Type } from "../../../core/schema.ts";
import type { Port } from "../../../core/tensor.ts";
import { videoField, videoOutputType } from "../../media/saved-video.ts";
import { MAX_SEED } from "../../tensor/random.ts";

export const videoFields = {
  seed: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: MAX_SEED,
      description: "The same seed and input give the same video. Absent: drawn at random and returned.",
    }),
  ),
  video_output_type: videoOutputType,
  sync_mode: Type.Boolean({
    default: false,
    description: "Return the video inside the answer, as a data URI, instead of as a file.",
  }),
};

export const videoOutput = Type.Object({
  video: videoField,
  seed: Type.Integer({ description: "The seed that was used." }),
  timings: Type.Record(Type.String(), Type.Number(), { description: "Seconds; `inference` is all of the making." }),
});

/** What is paid for: seconds of video, and steps. */
export const VIDEO_UNITS = ["seconds", "steps"] as const;

export const framesField = (usual: number, most: number) =>
  Type.Integer({
    default: usual,
    minimum: 1,
    maximum: most,
    description: "Frames of the video. Models move best at the number that they were trained for.",
  });

export const stepsField = (usual: number) =>
  Type.Integer({
    default: usual,
    minimum: 1,
    maximum: 100,
    description: "Steps from noise to video: more take longer and look better, up to a point.",
  });

/**
 * Exports may have the number of frames for good: `port` is the denoiser's input of the latents, `at` the place of the frames in it.
 * Throws `invalid_input` for another number.
 */
export function expectFrames(frames: number, { shape }: Port, at: number): void {
  const fixed = shape[at];
  if (typeof fixed !== "number" || fixed === frames) return;
  const msg = `This model makes videos of ${fixed} frames`;
  throw new ForecourtError("invalid_input", `num_frames: ${msg}`, {
    problems: [{ loc: ["body", "num_frames"], msg, type: "value_error", input: frames }],
  });
}
