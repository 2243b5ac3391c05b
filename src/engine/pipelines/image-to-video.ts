// A short video that begins at a picture, with Stable Video Diffusion.

import { definePipeline, type Pixels } from "../../core/pipeline.ts";
import { type Static, Type } from "../../core/schema.ts";
import { type ImageSize, imageSizeField, type Size, sizeToDraw } from "../diffusion/image-size.ts";
import { estimateFilm, filmSteps } from "../diffusion/video/film-steps.ts";
import { loadImageToVideoModel } from "../diffusion/video/image-to-video-model.ts";
import { framesField, stepsField, VIDEO_UNITS, videoFields, videoOutput } from "../diffusion/video/video-fields.ts";
import { randomSeed } from "../media/drawn.ts";
import { pictureUrl, readImageUrl } from "../media/picture.ts";
import { expectWritable } from "../media/saved-video.ts";
import { createPause } from "../pause.ts";
import { cropTo } from "../tensor/crop.ts";
import { rgbOf } from "../tensor/pixels.ts";
import { createRandom } from "../tensor/random.ts";

const scale = (usual: number, description: string) =>
  Type.Number({ default: usual, minimum: 0, maximum: 20, description });

const input = Type.Object({
  image_url: pictureUrl,
  num_frames: framesField(14, 32),
  num_inference_steps: stepsField(20),
  motion_bucket_id: Type.Integer({
    default: 127,
    minimum: 1,
    maximum: 255,
    description: "How much moves: more is more.",
  }),
  cond_aug: Type.Number({
    default: 0.02,
    minimum: 0,
    maximum: 10,
    description: "How much noise is put on the picture first: with more the video keeps less to it, and moves more.",
  }),
  fps: Type.Integer({
    default: 10,
    minimum: 1,
    maximum: 60,
    description: "Frames per second of the video, which the model is told too.",
  }),
  min_guidance_scale: scale(1, "How closely the first frame follows the picture."),
  max_guidance_scale: scale(3, "The same of the last frame; 1 or less turns guidance off."),
  video_size: imageSizeField,
  ...videoFields,
});

export type ImageToVideoInput = Static<typeof input>;

export const imageToVideo = definePipeline({
  summary: "Makes a short video that begins at a picture.",
  counts: VIDEO_UNITS,
  input,
  output: videoOutput,
  estimate: estimateFilm,
  async load(assets) {
    const model = await loadImageToVideoModel(assets);
    return async function* (tasks, signal) {
      for (const [index, task] of tasks.entries()) {
        const begunAt = performance.now();
        const { num_frames: frames, num_inference_steps: steps, fps } = task.input;
        const { motion_bucket_id: motion, cond_aug: noise } = task.input;
        const picture = await rgbOf(await readImageUrl(task, assets.codec), createPause(signal));
        const size = sizeToFilm(task.input.video_size, { picture, multiple: model.multiple });
        expectWritable(task.input.video_output_type, { ...size, fps, frames });
        const seed = task.input.seed ?? randomSeed();
        task.log(`making ${frames} frames of ${size.width}x${size.height} in ${steps} steps, seed ${seed}`);
        const filming = model.film({
          picture: cropTo(size, picture),
          guidance: { first: task.input.min_guidance_scale, last: task.input.max_guidance_scale },
          ...{ size, frames, steps, fps, motion, noise, random: createRandom(seed), signal },
        });
        yield* filmSteps({ task, index, codec: assets.codec, filming, seed, begunAt, signal });
      }
    };
  },
});

/** What Stable Video Diffusion was trained for, wide; its area upright and square. */
const [WIDE, UPRIGHT, SQUARE] = [
  { width: 1024, height: 576 },
  { width: 576, height: 1024 },
  { width: 768, height: 768 },
];
/** Between these the square is nearer than the others. */
const [NARROWEST, WIDEST] = [0.75, 4 / 3];

function sizeToFilm(asked: ImageSize | undefined, { picture, multiple }: { picture: Pixels; multiple: number }): Size {
  const proportion = picture.width / picture.height;
  const native = proportion > WIDEST ? WIDE : proportion < NARROWEST ? UPRIGHT : SQUARE;
  return sizeToDraw(asked, { native, multiple });
}
