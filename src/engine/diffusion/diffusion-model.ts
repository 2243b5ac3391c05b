// A diffusion repository come alive (diffusers, optimum and legacy ONNX layouts): prompt in, pictures out.
import { ForecourtError, invariant } from "../../core/errors.ts";
import type { Assets, Pixels } from "../../core/pipeline.ts";
import type { Random } from "../tensor/random.ts";
import type { Condition } from "./condition.ts";
import { type Denoised, denoise, type Start } from "./denoise.ts";
import { familyOf } from "./families.ts";
import type { Family } from "./family.ts";
import { fittedMask, fittedPlanes } from "./given-picture.ts";
import type { Size } from "./image-size.ts";
import { createLatentDecoder, type LatentDecoder, type VaeConfig } from "./latent-decoder.ts";
import { createLatentEncoder, type LatentEncoder } from "./latent-encoder.ts";
import type { LatentShape } from "./noise-predictor.ts";
import { openRepository, type Repository } from "./repository.ts";
import { startAtMask, startAtNoise, startAtPicture } from "./start.ts";

export type Drawing = {
  prompt: Condition;
  /** Present = classifier-free guidance by `scale`. */
  negative?: Condition;
  /** Also read by models whose `guidance` is a number. */
  scale: number;
  /** Both sides multiples of the model's `size.multiple`. */
  size: Size;
  count: number;
  steps: number;
  /** Its first numbers become the initial latents of all pictures, in the order [picture, channel, row, column]. */
  random: Random;
  /** Fields that differ from the repository's scheduler_config.json. */
  scheduler?: Record<string, unknown>;
  /** A picture to begin with, of any size. */
  given?: GivenPicture;
  signal: AbortSignal;
};

export type GivenPicture = {
  picture: Pixels;
  /** White where to redraw; absent = everywhere. */
  mask?: Pixels;
  /** From 0 (keep the picture) to 1 (keep hardly anything). */
  strength: number;
};

export type DiffusionModel = {
  /** The size that the model was trained for, and what both sides must be a multiple of. */
  size: { native: Size; multiple: number };
  guidance: Family["guidance"];
  encode: Family["encode"];
  /** Yields once for each model call and returns the pictures. */
  draw(drawing: Drawing): AsyncGenerator<Denoised, Pixels[]>;
};

/** `drawsFrom` = what the pipeline will give to `draw`, so that a repository without the parts for it is refused now. */
export async function loadDiffusionModel(
  assets: Assets,
  { drawsFrom }: { drawsFrom: "prompt" | "picture" | "mask" },
): Promise<DiffusionModel> {
  const repository = openRepository(assets);
  const { _class_name: className } = await repository.optional<{ _class_name: string }>("model_index.json");
  const family = await familyOf(className)(repository);
  const config = await vaeConfig(repository);
  const decoder = createLatentDecoder({ graph: await repository.graph("vae_decoder"), config });
  const encoder =
    drawsFrom === "prompt" ? undefined : createLatentEncoder({ graph: await repository.graph("vae_encoder"), config });
  const seesMask = family.predictor.channels === 2 * decoder.channels + 1;
  if (seesMask && drawsFrom !== "mask") throw onlyForMasks();
  const { native, multiple } = family.sides;
  const pixels = (latents: number) => latents * decoder.upscale;

  return {
    size: { native: { width: pixels(native.width), height: pixels(native.height) }, multiple: pixels(multiple) },
    guidance: family.guidance,
    encode: family.encode,
    draw: (drawing) => draw({ family, decoder, encoder, seesMask }, drawing),
  };
}

type Parts = { family: Family; decoder: LatentDecoder; encoder: LatentEncoder | undefined; seesMask: boolean };

async function* draw(parts: Parts, drawing: Drawing): AsyncGenerator<Denoised, Pixels[]> {
  const { family, decoder } = parts;
  const { size, count, steps, scheduler, given, negative, scale, prompt, random, signal } = drawing;
  const latents = { width: size.width / decoder.upscale, height: size.height / decoder.upscale };
  const shape: LatentShape = [count, decoder.channels, latents.height, latents.width];
  const strength = given && { strength: given.strength };
  const { sampler, from } = family.sampling({ steps, latents, ...strength, ...(scheduler && { changes: scheduler }) });
  const start = await startOf(parts, { drawing, run: { sampler, random, shape }, from });
  const shared = family.shared({ pixels: size, latents, scale });
  const guidance = negative && { guidance: { negative, scale } };
  const { predictor } = family;
  const clean = yield* denoise({ predictor, sampler, random, shape, start, prompt, shared, signal, ...guidance });
  const pictures: Pixels[] = [];
  for await (const picture of decoder.decode(clean, shape)) {
    signal.throwIfAborted();
    pictures.push(picture);
  }
  return pictures;
}

type Starting = { drawing: Drawing; run: Parameters<typeof startAtNoise>[0]; from: number };

async function startOf({ encoder, seesMask }: Parts, { drawing, run, from }: Starting): Promise<Start> {
  const { given, size } = drawing;
  if (!given) return startAtNoise(run);
  invariant(encoder, "a model that is to draw from pictures was loaded for that");
  const planes = fittedPlanes(given.picture, size);
  const begin = { ...run, encoder, from, size, planes };
  if (!given.mask) return startAtPicture(begin);
  return startAtMask({ ...begin, mask: fittedMask(given.mask, size), seesMask, isFull: given.strength === 1 });
}

const vaeConfig = async ({ optional }: Repository): Promise<VaeConfig> => ({
  ...(await optional<VaeConfig>("vae/config.json")),
  ...(await optional<VaeConfig>("vae_decoder/config.json")),
});

function onlyForMasks(): ForecourtError {
  return new ForecourtError("misconfigured", "this model redraws parts of pictures: give it to the pipeline inpaint");
}
