// A Stable Diffusion repository come alive (diffusers, optimum and legacy ONNX layouts): prompt in, pictures out.
import { ForecourtError } from "../../core/errors.ts";
import type { Assets, Pixels } from "../../core/pipeline.ts";
import { createSampler } from "../samplers/registry.ts";
import type { Random } from "../tensor/random.ts";
import { loadClipTokenizer } from "../text/tokenizer.ts";
import { denoise } from "./denoise.ts";
import type { Size } from "./image-size.ts";
import { createLatentDecoder, type VaeConfig } from "./latent-decoder.ts";
import { createNoisePredictor, type LatentShape } from "./noise-predictor.ts";
import { createPromptEncoder, type PromptEmbedding } from "./prompt-encoder.ts";

export type Drawing = {
  prompt: PromptEmbedding;
  /** Present = guidance, see denoise.ts. */
  guidance?: { negative: PromptEmbedding; scale: number };
  size: Size;
  count: number;
  steps: number;
  /** Its first numbers become the initial latents of all pictures, in the order [picture, channel, row, column]. */
  random: Random;
  /** Fields that differ from the repository's scheduler_config.json. */
  scheduler?: Record<string, unknown>;
  signal: AbortSignal;
};

export type StableDiffusion = {
  /** The size that the model was trained for, and what both sides must be a multiple of. */
  size: { native: Size; multiple: number };
  encode(prompt: string): Promise<PromptEmbedding>;
  /** Yields once for each model call and returns the pictures. */
  draw(drawing: Drawing): AsyncGenerator<{ at: number; of: number }, Pixels[]>;
};

type UnetConfig = { sample_size?: number | [height: number, width: number]; block_out_channels?: number[] };

/** Stable Diffusion 1's, for repositories whose UNet has no config.json. */
const UNET: Required<UnetConfig> = { sample_size: 64, block_out_channels: [320, 640, 1280, 1280] };

export async function loadStableDiffusion(assets: Assets): Promise<StableDiffusion> {
  const optional = async <T extends object>(path: string): Promise<Partial<T>> =>
    assets.has(path) ? await assets.json<T>(path) : {};
  checkFamily((await optional<ModelIndex>("model_index.json"))._class_name);
  const scheduler = asDiffusersLoads(await assets.json("scheduler/scheduler_config.json"));
  const encoder = createPromptEncoder({
    tokenizer: await loadClipTokenizer(assets, "tokenizer"),
    graph: await assets.graph("text_encoder/model.onnx"),
  });
  const predictor = createNoisePredictor(await assets.graph("unet/model.onnx"));
  const decoder = createLatentDecoder({
    graph: await assets.graph("vae_decoder/model.onnx"),
    config: {
      ...(await optional<VaeConfig>("vae/config.json")),
      ...(await optional<VaeConfig>("vae_decoder/config.json")),
    },
  });
  const unet = { ...UNET, ...(await optional<UnetConfig>("unet/config.json")) };

  return {
    size: sizesOf(unet, decoder.upscale),
    encode: encoder.encode,
    async *draw({ size, count, steps, scheduler: changes, ...drawing }) {
      const sides = [size.height / decoder.upscale, size.width / decoder.upscale] as const;
      const shape: LatentShape = [count, predictor.channels, ...sides];
      const sampler = createSampler({ ...scheduler, ...changes }, steps);
      const latents = yield* denoise({ ...drawing, predictor, sampler, shape });
      const pictures: Pixels[] = [];
      for await (const picture of decoder.decode(latents, shape)) {
        drawing.signal.throwIfAborted();
        pictures.push(picture);
      }
      return pictures;
    },
  };
}

type ModelIndex = { _class_name: string };

/** Other families share file names with this one and would fail later, or give pictures that look broken. */
function checkFamily(name: string | undefined): void {
  if (name === undefined || /^(ORT|Onnx)?StableDiffusionPipeline$/.test(name)) return;
  throw new ForecourtError("misconfigured", `model_index.json: ${name} is not a text-to-image Stable Diffusion 1 or 2`);
}

/** The UNet halves its latents once between any two of its levels, so they must be even that often. */
function sizesOf({ sample_size: sample, block_out_channels: levels }: Required<UnetConfig>, upscale: number) {
  const [height, width] = typeof sample === "number" ? [sample, sample] : sample;
  return {
    native: { width: width * upscale, height: height * upscale },
    multiple: upscale * 2 ** (levels.length - 1),
  };
}

/** diffusers' StableDiffusionPipeline overrides these two settings, which old repositories carry wrongly. */
function asDiffusersLoads(config: Record<string, unknown>): Record<string, unknown> {
  return { ...config, steps_offset: 1, clip_sample: false };
}
