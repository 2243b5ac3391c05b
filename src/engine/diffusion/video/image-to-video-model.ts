// Stable Video Diffusion: a picture begins to move, as it is seen by CLIP and beside the latents of each frame.
import { ForecourtError, invariant } from "../../../core/errors.ts";
import type { Assets, Graph, Pixels } from "../../../core/pipeline.ts";
import { createPause, type Pause } from "../../pause.ts";
import { linspace } from "../../samplers/noise-schedule.ts";
import { resizeAntialiased } from "../../tensor/antialiased.ts";
import type { Random } from "../../tensor/random.ts";
import { requirePort, tensorOf, toFloats } from "../../tensor/tensor.ts";
import type { PreprocessorConfig } from "../../vision/preprocess.ts";
import type { Condition, Row } from "../condition.ts";
import { type Denoised, denoise } from "../denoise.ts";
import { fittedPlanes, planesOf } from "../given-picture.ts";
import type { Size } from "../image-size.ts";
import type { VaeConfig } from "../latent-decoder.ts";
import { createLatentEncoder } from "../latent-encoder.ts";
import { createNoisePredictor, type LatentShape } from "../noise-predictor.ts";
import { openRepository, type Repository } from "../repository.ts";
import { startAtNoise } from "../start.ts";
import { loadUnet } from "../unet.ts";
import { framesBeside } from "./frame-layouts.ts";
import { createTemporalDecoder } from "./temporal-decoder.ts";
import { expectFrames } from "./video-fields.ts";

export type Moving = {
  picture: Pixels;
  /** Both sides multiples of the model's `size.multiple`. */
  size: Size;
  frames: number;
  steps: number;
  /** What the model is told: frames per second, how much moves, and how much noise is on the picture. */
  fps: number;
  motion: number;
  noise: number;
  /** Of the first and the last frame; without guidance where the last is 1 or less. */
  guidance: { first: number; last: number };
  /** Draws the noise on the picture, [colour, row, column], then the initial latents, [frame, channel, row, column]. */
  random: Random;
  signal: AbortSignal;
};

export type ImageToVideoModel = {
  multiple: number;
  /** Yields once for each model call; the frames that it returns are decoded a few at a time, as they are asked for. */
  film(moving: Moving): AsyncGenerator<Denoised, AsyncGenerator<Pixels>>;
};

const CHANNELS = 4;

export async function loadImageToVideoModel(assets: Assets): Promise<ImageToVideoModel> {
  const repository = openRepository(assets);
  await checkClass(repository);
  const unet = await repository.graph("unet");
  const sample = requirePort(unet.inputs, { names: ["sample"], of: "denoiser" });
  const { sampling, sides } = await loadUnet(repository, await repository.scheduler());
  const config: VaeConfig = {
    ...(await repository.optional<VaeConfig>("vae/config.json")),
    ...(await repository.optional<VaeConfig>("vae_decoder/config.json")),
  };
  const decoder = createTemporalDecoder({ graph: await repository.graph("vae_decoder"), config });
  // The picture's latents are shown as the autoencoder gives them.
  const unscaled = { ...config, scaling_factor: 1 };
  const encoder = createLatentEncoder({ graph: await repository.graph("vae_encoder"), config: unscaled });
  const seen = await createPictureEncoder(repository);
  const upscale = 2 ** ((config.block_out_channels?.length ?? 4) - 1);

  return {
    multiple: sides.multiple * upscale,
    async *film({ picture, size, frames, steps, random, signal, guidance, ...told }) {
      expectFrames(frames, sample, 1);
      const pause = createPause(signal);
      const embedding = await seen(picture, pause);
      const noise = random.normal(3 * size.width * size.height);
      const planes = await fittedPlanes(picture, size, pause);
      const noisy = planes.map((value, i) => value + told.noise * (noise[i] ?? 0));
      const beside = await encoder.mean(noisy, size);
      const latents = { width: size.width / upscale, height: size.height / upscale };
      const shape: LatentShape = [1, frames * CHANNELS, latents.height, latents.width];
      const { sampler } = sampling({ steps, latents });
      const isGuided = guidance.last > 1;
      const nothing = new Float32Array(beside.length);
      const layout = framesBeside({ frames, beside: isGuided ? [nothing, beside] : [beside] });
      const scale = linspace(guidance.first, guidance.last, frames);
      const negatives = [conditionOf({ ...embedding, data: new Float32Array(embedding.data.length) })];
      const data = yield* denoise({
        predictor: createNoisePredictor({ graph: unet, layout }),
        ...{ sampler, random, shape, signal },
        start: startAtNoise({ sampler, random, shape }),
        prompts: [conditionOf(embedding)],
        ...(isGuided && { guidance: { negatives, scale } }),
        // It was trained on one less than the frames per second.
        shared: { added_time_ids: { data: Float32Array.of(told.fps - 1, told.motion, told.noise), shape: [3] } },
      });
      async function* decoded(): AsyncGenerator<Pixels> {
        for await (const frame of decoder.decode({ data, frames, channels: CHANNELS, ...latents })) {
          signal.throwIfAborted();
          yield frame;
        }
      }
      return decoded();
    },
  };
}

const conditionOf = (row: Row): Condition => ({ rows: { encoder_hidden_states: row }, readings: 1, dropped: 0 });

/** OpenAI's CLIP, for repositories that do not say. */
const [MEAN, DEVIATION] = [
  [0.48145466, 0.4578275, 0.40821073],
  [0.26862954, 0.26130258, 0.27577711],
];
/** What this CLIP sees. */
const SEEN = { width: 224, height: 224 };

type SeesPicture = (picture: Pixels, pause: Pause) => Promise<Row>;

/** One vector, as if it were a prompt of one token. */
async function createPictureEncoder(repository: Repository): Promise<SeesPicture> {
  const graph: Graph = await repository.graph("image_encoder");
  const input = requirePort(graph.inputs, { names: ["pixel_values"], of: "image encoder" });
  const output = requirePort(graph.outputs, { names: ["image_embeds"], of: "image encoder" });
  const config = await repository.optional<PreprocessorConfig>("feature_extractor/preprocessor_config.json");
  const { image_mean: mean = MEAN, image_std: deviation = DEVIATION } = config;
  const area = SEEN.width * SEEN.height;
  return async (picture, pause) => {
    const planes = planesOf(picture);
    const size = picture.width * picture.height;
    const all = new Float32Array(3 * area);
    for (let channel = 0; channel < 3; channel++) {
      const plane = { ...picture, values: planes.subarray(channel * size, (channel + 1) * size) };
      const { values } = await resizeAntialiased(plane, { ...SEEN, pause });
      const [middle, spread] = [mean[channel] ?? 0, deviation[channel] ?? 1];
      all.set(
        values.map((value) => ((value + 1) / 2 - middle) / spread),
        channel * area,
      );
    }
    const shape = [1, 3, SEEN.height, SEEN.width];
    const results = await graph.run({ [input.name]: tensorOf(input.dtype, shape, all) });
    const embedding = results[output.name];
    invariant(embedding, "a graph gives each of its outputs");
    const data = toFloats(embedding);
    return { data, shape: [1, data.length] };
  };
}

async function checkClass(repository: Repository): Promise<void> {
  const { _class_name: name = "StableVideoDiffusionPipeline" } = await repository.optional<{ _class_name: string }>(
    "model_index.json",
  );
  if (/StableVideoDiffusionPipeline$/.test(name)) return;
  throw new ForecourtError(
    "misconfigured",
    `model_index.json: ${name} is not supported; image-to-video knows StableVideoDiffusionPipeline`,
  );
}
