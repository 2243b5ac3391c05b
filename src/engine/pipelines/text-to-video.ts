// A short video from a prompt, with a diffusion model that draws all of its frames at once.
import { definePipeline } from "../../core/pipeline.ts";
import { type Static, Type } from "../../core/schema.ts";
import { imageSizeField, sizeToDraw } from "../diffusion/image-size.ts";
import { estimateFilm, filmSteps } from "../diffusion/video/film-steps.ts";
import { loadTextToVideoModel, type TextToVideoModel } from "../diffusion/video/text-to-video-model.ts";
import { framesField, stepsField, VIDEO_UNITS, videoFields, videoOutput } from "../diffusion/video/video-fields.ts";
import { randomSeed } from "../media/drawn.ts";
import { expectWritable } from "../media/saved-video.ts";
import { createRandom } from "../tensor/random.ts";

const input = Type.Object({
  prompt: Type.String({
    maxLength: 20_000,
    description: "What to show, and what happens.",
    ui: { field: "textarea", important: true },
  }),
  negative_prompt: Type.String({
    default: "",
    maxLength: 20_000,
    description: "What to keep away from. Has no effect without guidance (guidance_scale of 1 or less).",
  }),
  num_frames: framesField(16, 64),
  num_inference_steps: stepsField(25),
  guidance_scale: Type.Number({
    default: 9,
    minimum: 0,
    maximum: 35,
    description: "How closely to follow the prompt; 1 or less turns guidance off.",
  }),
  fps: Type.Integer({ default: 8, minimum: 1, maximum: 60, description: "Frames per second." }),
  video_size: imageSizeField,
  ...videoFields,
});

export type TextToVideoInput = Static<typeof input>;

export const textToVideo = definePipeline({
  summary: "Makes a short video from a text prompt.",
  counts: VIDEO_UNITS,
  input,
  output: videoOutput,
  estimate: estimateFilm,
  async load(assets) {
    const model = await loadTextToVideoModel(assets);
    return async function* (tasks, signal) {
      for (const [index, task] of tasks.entries()) {
        const begunAt = performance.now();
        const { num_frames: frames, num_inference_steps: steps, guidance_scale: scale, fps } = task.input;
        const seed = task.input.seed ?? randomSeed();
        const size = sizeToDraw(task.input.video_size, model.size);
        expectWritable(task.input.video_output_type, { ...size, fps, frames });
        task.log(`making ${frames} frames of ${size.width}x${size.height} in ${steps} steps, seed ${seed}`);
        const prompts = await readPrompts(model, task.input);
        for (const line of prompts.unread) task.log(line);
        const random = createRandom(seed);
        const filming = model.film({ ...prompts.conditions, ...{ scale, size, frames, steps, random, signal } });
        yield* filmSteps({ task, index, codec: assets.codec, filming, seed, begunAt, signal });
      }
    };
  },
});

async function readPrompts(model: TextToVideoModel, { prompt, negative_prompt, guidance_scale }: TextToVideoInput) {
  const isGuided = guidance_scale > 1;
  const read = await model.encode(prompt);
  const negative = isGuided ? await model.encode(negative_prompt) : undefined;
  const tooLong = (name: string, dropped: number) =>
    dropped > 0 ? [`the ${name} is too long: its last ${dropped} tokens are not read`] : [];
  const isLost = !isGuided && negative_prompt.trim() !== "";
  return {
    conditions: { prompt: read, ...(negative && { negative }) },
    unread: [
      ...tooLong("prompt", read.dropped),
      ...tooLong("negative prompt", negative?.dropped ?? 0),
      ...(isLost ? ["the negative prompt is not read with guidance_scale of 1 or less"] : []),
    ],
  };
}
