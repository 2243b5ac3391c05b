// A diffusion repository come alive (diffusers, optimum and legacy ONNX layouts): prompt in, pictures out.
import { ForecourtError } from "../../core/errors.ts";
import type { Assets, Pixels } from "../../core/pipeline.ts";
import { createPause } from "../pause.ts";
import type { Random } from "../tensor/random.ts";
import type { Condition } from "./condition.ts";
import { type ControlNet, type ControlPicture, createControlNet } from "./control.ts";
import { type Denoised, denoise, type Start } from "./denoise.ts";
import { familyOf } from "./families.ts";
import type { Family } from "./family.ts";
import { fittedMask, fittedPlanes, planesOf } from "./given-picture.ts";
import type { Size } from "./image-size.ts";
import { createLatentDecoder, type LatentDecoder, type VaeConfig } from "./latent-decoder.ts";
import { createLatentEncoder, type LatentEncoder } from "./latent-encoder.ts";
import type { LatentShape } from "./noise-predictor.ts";
import { calmed, createPreviewer, type Previewer } from "./preview.ts";
import { openRepository, type Repository } from "./repository.ts";
import { type Previous, startAtLatents, startAtMask, startAtNoise, startAtPicture } from "./start.ts";
import { type LatentPicture, tokensOf } from "./tokens.ts";

export type Drawing = {
  /** Of drawings that are made together; each gets the same number of the pictures. */
  prompts: readonly Condition[];
  /** Present = classifier-free guidance by `scale`; as many as prompts. */
  negatives?: readonly Condition[];
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
  /** A picture for the model's ControlNet; for models that draw by one. */
  control?: ControlPicture;
  /** Pictures to go by, both sides multiples of `size.multiple`; for models that draw from references. */
  references?: readonly Pixels[];
  /** The last latents of an earlier drawing, to begin with in part; others than of this size and count are left out. */
  previous?: Previous & { strength: number };
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
  draw(drawing: Drawing): AsyncGenerator<Drawn, Pixels[]>;
};

/** `preview` makes small pictures of these latents: cheap once the model has finished a drawing. */
export type Drawn = Denoised & { preview(): Promise<Pixels[]> };

/** What a pipeline will give to `draw`, so that a repository without the parts for it is refused when it is loaded. */
export type DrawsFrom = { drawsFrom: "prompt" | "picture" | "mask" | "references" | "control" };

export async function loadDiffusionModel(assets: Assets, { drawsFrom }: DrawsFrom): Promise<DiffusionModel> {
  const repository = openRepository(assets);
  const family = await (await familyOf(repository))(repository);
  const config = { ...family.autoencoder, ...(await vaeConfig(repository)) };
  const decoder = createLatentDecoder({ graph: await repository.graph("vae_decoder"), config });
  const encoder = lateEncoder(repository, config);
  if (drawsFrom !== "prompt" && drawsFrom !== "control") await encoder();
  if (drawsFrom === "references" && !family.seesReferences) throw noReferences();
  const { residuals } = family.predictor;
  const isControlled = drawsFrom === "control";
  if (residuals.length > 0 !== isControlled) throw isControlled ? noResiduals() : onlyWithControl();
  const controlNet = isControlled ? createControlNet(await repository.graph("controlnet"), residuals) : undefined;
  const seesMask = family.predictor.channels === 2 * decoder.channels + 1;
  if (seesMask && drawsFrom !== "mask") throw onlyForMasks();
  const { native, multiple } = family.sides;
  const previewer = createPreviewer();
  const pixels = (latents: number) => latents * decoder.upscale;

  return {
    size: { native: { width: pixels(native.width), height: pixels(native.height) }, multiple: pixels(multiple) },
    guidance: family.guidance,
    encode: family.encode,
    draw: (drawing) => draw({ family, decoder, encoder, seesMask, previewer, controlNet }, drawing),
  };
}

/** Models that draw from prompts alone have the encoder opened when a picture comes after all. */
function lateEncoder(repository: Repository, config: VaeConfig): () => Promise<LatentEncoder> {
  let opened: Promise<LatentEncoder> | undefined;
  const open = async () => createLatentEncoder({ graph: await repository.graph("vae_encoder"), config });
  return () => {
    opened ??= open();
    return opened;
  };
}

type Parts = {
  family: Family;
  decoder: LatentDecoder;
  encoder: () => Promise<LatentEncoder>;
  seesMask: boolean;
  previewer: Previewer;
  controlNet: ControlNet | undefined;
};

async function* draw(parts: Parts, drawing: Drawing): AsyncGenerator<Drawn, Pixels[]> {
  const { family, decoder } = parts;
  const { size, count, steps, scheduler, negatives, scale, prompts, random, signal } = drawing;
  const latents = { width: size.width / decoder.upscale, height: size.height / decoder.upscale };
  const shape: LatentShape = [count, decoder.channels, latents.height, latents.width];
  const begun = drawing.given ?? previousOf(drawing, shape);
  const strength = begun && { strength: begun.strength };
  const { sampler, from } = family.sampling({ steps, latents, ...strength, ...(scheduler && { changes: scheduler }) });
  const references = await encodedReferences(parts, drawing);
  const start = {
    ...(await startOf(parts, { drawing, run: { sampler, random, shape }, from })),
    ...tokensToShow(references),
  };
  const shared = family.shared({ pixels: size, latents, scale, references });
  const guidance = negatives && { guidance: { negatives, scale } };
  const control =
    drawing.control &&
    (await parts.controlNet?.looking(drawing.control, { size, steps: sampler.timesteps.length - from, signal }));
  const { predictor } = family;
  const denoising = denoise({
    predictor,
    sampler,
    random,
    shape,
    start,
    prompts,
    shared,
    signal,
    ...guidance,
    ...(control && { control }),
  });
  let next = await denoising.next();
  for (; !next.done; next = await denoising.next()) {
    const { latents: unfinished } = next.value;
    yield { ...next.value, preview: () => previewOf(parts, unfinished, shape) };
  }
  return await decoded(parts, next.value, { shape, signal });
}

/** Their means: nothing is drawn from the run's random numbers for them. */
async function encodedReferences({ encoder, decoder }: Parts, { references = [] }: Drawing): Promise<LatentPicture[]> {
  const encoded: LatentPicture[] = [];
  for (const picture of references) {
    const latents = await (await encoder()).mean(planesOf(picture), picture);
    const [width, height] = [picture.width / decoder.upscale, picture.height / decoder.upscale];
    encoded.push({ latents, channels: decoder.channels, width, height });
  }
  return encoded;
}

function tokensToShow(references: readonly LatentPicture[]): Pick<Start, "references"> {
  const tokens = tokensOf(references);
  return tokens ? { references: tokens } : {};
}

type Decoding = { shape: LatentShape; signal: AbortSignal };

async function decoded({ decoder, previewer }: Parts, clean: Float32Array, { shape, signal }: Decoding) {
  const pictures: Pixels[] = [];
  for await (const picture of decoder.decode(clean, shape)) {
    signal.throwIfAborted();
    await previewer.learn(rowOf(clean, shape, pictures.length), picture);
    pictures.push(picture);
  }
  return pictures;
}

/** Until the model has drawn a few pictures the decoder itself is asked; from then on previews cost next to nothing. */
async function previewOf({ decoder, previewer }: Parts, latents: Float32Array, shape: LatentShape): Promise<Pixels[]> {
  if (!previewer.knows()) return await Array.fromAsync(decoder.decode(latents, shape));
  return Array.from({ length: shape[0] }, (_, row) => previewer.preview(calmed(rowOf(latents, shape, row))));
}

function rowOf(latents: Float32Array, [rows, channels, height, width]: LatentShape, row: number): LatentPicture {
  const size = latents.length / rows;
  return { latents: latents.subarray(row * size, (row + 1) * size), channels, height, width };
}

/** Of an earlier drawing, where it can flow into this one. */
function previousOf({ previous }: Drawing, shape: LatentShape) {
  const size = shape.reduce((product, each) => product * each, 1);
  return previous && previous.share > 0 && previous.latents.length === size ? previous : undefined;
}

type Starting = { drawing: Drawing; run: Parameters<typeof startAtNoise>[0]; from: number };

async function startOf({ encoder, seesMask }: Parts, { drawing, run, from }: Starting): Promise<Start> {
  const { given, size, signal } = drawing;
  const previous = previousOf(drawing, run.shape);
  if (!given) return previous ? startAtLatents({ ...run, from, clean: previous.latents }) : startAtNoise(run);
  const pause = createPause(signal);
  const planes = await fittedPlanes(given.picture, size, pause);
  const begin = { ...run, encoder: await encoder(), from, size, planes };
  if (!given.mask) return startAtPicture({ ...begin, previous });
  return startAtMask({
    ...begin,
    mask: await fittedMask(given.mask, size, pause),
    seesMask,
    isFull: given.strength === 1,
  });
}

const vaeConfig = async ({ optional }: Repository): Promise<VaeConfig> => ({
  ...(await optional<VaeConfig>("vae/config.json")),
  ...(await optional<VaeConfig>("vae_decoder/config.json")),
});

function noReferences(): ForecourtError {
  return new ForecourtError(
    "misconfigured",
    "this model cannot go by pictures: give it to the pipeline image-to-image",
  );
}

function noResiduals(): ForecourtError {
  const why = "its UNet takes nothing from a ControlNet: it has to be exported together with one";
  return new ForecourtError("misconfigured", `this model cannot be controlled: ${why}`);
}

function onlyWithControl(): ForecourtError {
  return new ForecourtError(
    "misconfigured",
    "this model's UNet waits for its ControlNet: give it to the pipeline control-image",
  );
}

function onlyForMasks(): ForecourtError {
  return new ForecourtError("misconfigured", "this model redraws parts of pictures: give it to the pipeline inpaint");
}
