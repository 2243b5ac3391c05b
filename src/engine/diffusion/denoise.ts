// The loop of every latent diffusion model: ask for a prediction, guide it, let the sampler take a step, again.
import type { Sampler } from "../samplers/sampler.ts";
import type { Random } from "../tensor/random.ts";
import type { LatentShape, NoisePredictor } from "./noise-predictor.ts";
import type { PromptEmbedding } from "./prompt-encoder.ts";

export type Denoising = {
  predictor: NoisePredictor;
  sampler: Sampler;
  random: Random;
  /** Of the pictures; with guidance the model sees twice as many rows. */
  shape: LatentShape;
  prompt: PromptEmbedding;
  /** Present = classifier-free guidance (2207.12598): away from `negative`, `scale` > 1 times as far. */
  guidance?: { negative: PromptEmbedding; scale: number };
  signal: AbortSignal;
};

/** Yields after each model call and returns the clean latents. Throws the signal's reason between two calls. */
export async function* denoise(given: Denoising): AsyncGenerator<{ at: number; of: number }, Float32Array> {
  const { sampler, random, signal } = given;
  const { timesteps } = sampler;
  const size = given.shape.reduce((product, each) => product * each, 1);
  const predict = guidedPredict(given, size);
  const noise = () => random.normal(size);
  let sample: Float32Array = noise().map((value) => value * sampler.initNoiseSigma);
  for (const [index, timestep] of timesteps.entries()) {
    signal.throwIfAborted();
    const modelOutput = await predict(sampler.scaleInput(sample, index), timestep);
    sample = sampler.step({ modelOutput, sample, index, noise });
    yield { at: index + 1, of: timesteps.length };
  }
  return sample;
}

type PredictRows = (latents: Float32Array, timestep: number) => Promise<Float32Array>;

/** With guidance both prompts go through the model in one call: first all rows of the negative, then of the prompt. */
function guidedPredict({ predictor, shape, prompt, guidance }: Denoising, size: number): PredictRows {
  const [count, ...rest] = shape;
  const embeddings = repeat(prompt, count);
  if (!guidance) return predictor.begin({ shape, embeddings });
  const predict = predictor.begin({
    shape: [2 * count, ...rest],
    embeddings: [...repeat(guidance.negative, count), ...embeddings],
  });
  const twice = new Float32Array(2 * size);
  return async (latents, timestep) => {
    twice.set(latents, 0);
    twice.set(latents, size);
    return guide(await predict(twice, timestep), guidance.scale);
  };
}

const repeat = <T>(value: T, count: number) => new Array<T>(count).fill(value);

/** away + scale · (towards - away), the first half of `both` being `away`. */
function guide(both: Float32Array, scale: number): Float32Array {
  const size = both.length / 2;
  const guided = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    const away = both[i] ?? 0;
    guided[i] = away + scale * ((both[size + i] ?? 0) - away);
  }
  return guided;
}
