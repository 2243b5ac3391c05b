// ModelScope's text-to-video and what is built like it: Stable Diffusion's parts around a UNet that sees all frames at once.
import { ForecourtError } from "../../../core/errors.ts";
import type { Assets, Pixels } from "../../../core/pipeline.ts";
import type { Random } from "../../tensor/random.ts";
import { requirePort } from "../../tensor/tensor.ts";
import { loadClipTokenizer } from "../../text/tokenizer.ts";
import type { Condition } from "../condition.ts";
import { type Denoised, denoise } from "../denoise.ts";
import type { Size } from "../image-size.ts";
import { rowOf } from "../joined-embeddings.ts";
import { createLatentDecoder, type VaeConfig } from "../latent-decoder.ts";
import { createNoisePredictor, type LatentShape } from "../noise-predictor.ts";
import { createPromptEncoder } from "../prompt-encoder.ts";
import { openRepository, type Repository } from "../repository.ts";
import { startAtNoise } from "../start.ts";
import { loadUnet } from "../unet.ts";
import { framesOfStack, stackedFrames } from "./frame-layouts.ts";
import { expectFrames } from "./video-fields.ts";

export type Filming = {
  prompt: Condition;
  /** Present = classifier-free guidance by `scale`. */
  negative?: Condition;
  scale: number;
  /** Both sides multiples of the model's `size.multiple`. */
  size: Size;
  frames: number;
  steps: number;
  /** Its first numbers become the initial latents, in the order [channel, frame, row, column]. */
  random: Random;
  signal: AbortSignal;
};

export type TextToVideoModel = {
  size: { native: Size; multiple: number };
  encode(text: string): Promise<Condition>;
  /** Yields once for each model call; the frames that it returns are decoded one by one, as they are asked for. */
  film(filming: Filming): AsyncGenerator<Denoised, AsyncGenerator<Pixels>>;
};

export async function loadTextToVideoModel(assets: Assets): Promise<TextToVideoModel> {
  const repository = openRepository(assets);
  await checkClass(repository);
  const unet = await repository.graph("unet");
  const { sampling, sides } = await loadUnet(repository, await repository.scheduler());
  const config = {
    ...(await repository.optional<VaeConfig>("vae/config.json")),
    ...(await repository.optional<VaeConfig>("vae_decoder/config.json")),
  };
  const decoder = createLatentDecoder({ graph: await repository.graph("vae_decoder"), config });
  const encoder = createPromptEncoder({
    tokenizer: await loadClipTokenizer(assets, "tokenizer"),
    graph: await repository.graph("text_encoder"),
  });
  const sample = requirePort(unet.inputs, { names: ["sample"], of: "denoiser" });
  const pixels = (latents: number) => latents * decoder.upscale;
  const { native, multiple } = sides;
  return {
    size: { native: { width: pixels(native.width), height: pixels(native.height) }, multiple: pixels(multiple) },
    async encode(text) {
      const states = await encoder.encode(text);
      return { rows: { encoder_hidden_states: rowOf(states) }, readings: states.readings, dropped: states.dropped };
    },
    async *film({ prompt, negative, scale, size, frames, steps, random, signal }) {
      expectFrames(frames, sample, 2);
      const latents = { width: size.width / decoder.upscale, height: size.height / decoder.upscale };
      const shape: LatentShape = [1, decoder.channels, frames * latents.height, latents.width];
      const { sampler } = sampling({ steps, latents });
      const clean = yield* denoise({
        predictor: createNoisePredictor({ graph: unet, layout: stackedFrames(frames) }),
        ...{ sampler, random, shape, signal },
        start: startAtNoise({ sampler, random, shape }),
        prompts: [prompt],
        ...(negative && { guidance: { negatives: [negative], scale } }),
        shared: {},
      });
      async function* decoded(): AsyncGenerator<Pixels> {
        for (const frame of framesOfStack(clean, { frames, shape })) {
          signal.throwIfAborted();
          yield* decoder.decode(frame.latents, frame.shape);
        }
      }
      return decoded();
    },
  };
}

async function checkClass(repository: Repository): Promise<void> {
  const { _class_name: name = "TextToVideoSDPipeline" } = await repository.optional<{ _class_name: string }>(
    "model_index.json",
  );
  if (/TextToVideoSDPipeline$/.test(name)) return;
  throw new ForecourtError(
    "misconfigured",
    `model_index.json: ${name} is not supported; text-to-video knows TextToVideoSDPipeline`,
  );
}
