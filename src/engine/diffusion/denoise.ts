// The loop of every latent diffusion model: ask for a prediction, guide it, let the sampler take a step, again.

import type { Sampler } from "../samplers/sampler.ts";
import type { Random } from "../tensor/random.ts";
import type { Condition, Row, Rows } from "./condition.ts";
import type { Control } from "./control.ts";
import type { Besides, LatentShape, NoisePredictor, Predict } from "./noise-predictor.ts";

/** Where a run begins, and what holds it to a given picture. */
export type Start = {
  /** The latents before the first step. */
  sample: Float32Array;
  /** Place in the sampler's timesteps of the first step. */
  from: number;
  /** Shown to the model besides the latents, see noise-predictor.ts. */
  besides?: Besides;
  /** Tokens of pictures to go by, see noise-predictor.ts. */
  references?: Row;
  /** Changes the latents that a step gave; `next` is the place of the step to come. */
  after?(sample: Float32Array, next: number): Float32Array;
};

export type Denoising = {
  predictor: NoisePredictor;
  sampler: Sampler;
  random: Random;
  /** Of the pictures; with guidance the model sees twice as many rows. */
  shape: LatentShape;
  start: Start;
  /** Of as many drawings; each has the same number of the pictures, one after the other. */
  prompts: readonly Condition[];
  /**
   * Present = classifier-free guidance (2207.12598): away from `negatives`, `scale` > 1 times as far. Of several scales each is for
   * its equal part of the latents, as frames of a video.
   */
  guidance?: { negatives: readonly Condition[]; scale: number | readonly number[] };
  /** A second graph that looks at a picture. */
  control?: Control;
  /** Inputs that are the same for all rows. */
  shared: Rows;
  signal: AbortSignal;
};

/** Yields after each model call and returns the clean latents. Throws the signal's reason between two calls. */
export async function* denoise(given: Denoising): AsyncGenerator<Denoised, Float32Array> {
  const { sampler, random, signal, start } = given;
  const size = given.shape.reduce((product, each) => product * each, 1);
  const predict = guidedPredict(given, size);
  const noise = () => random.normal(size);
  const timesteps = sampler.timesteps.slice(start.from);
  let { sample } = start;
  for (const [at, timestep] of timesteps.entries()) {
    const index = start.from + at;
    signal.throwIfAborted();
    const modelOutput = await predict(sampler.scaleInput(sample, index), timestep);
    sample = sampler.step({ modelOutput, sample, index, noise });
    if (start.after) sample = start.after(sample, index + 1);
    yield { at: at + 1, of: timesteps.length, latents: sample };
  }
  return sample;
}

/** One model call done; `latents` are those that it led to, not to be written to. */
export type Denoised = { at: number; of: number; latents: Float32Array };

/** With guidance both prompts go through the model in one call: first all rows of the negatives, then of the prompts. */
function guidedPredict(
  { predictor, shape, prompts, guidance, shared, start, control }: Denoising,
  size: number,
): Predict {
  const [count, ...rest] = shape;
  const { besides, references } = start;
  const constant = {
    shared,
    ...(besides && { besides }),
    ...(references && { references }),
    ...(control && { control }),
  };
  const conditions = rowsOf(prompts, count);
  if (!guidance) return predictor.begin({ ...constant, shape, conditions });
  const predict = predictor.begin({
    ...constant,
    shape: [2 * count, ...rest],
    conditions: [...rowsOf(guidance.negatives, count), ...conditions],
  });
  const twice = new Float32Array(2 * size);
  return async (latents, timestep) => {
    twice.set(latents, 0);
    twice.set(latents, size);
    return guide(await predict(twice, timestep), [guidance.scale].flat());
  };
}

const rowsOf = (conditions: readonly Condition[], count: number): Rows[] =>
  conditions.flatMap(({ rows }) => new Array<Rows>(count / conditions.length).fill(rows));

/** away + scale · (towards - away), the first half of `both` being `away`. */
function guide(both: Float32Array, scales: readonly number[]): Float32Array {
  const size = both.length / 2;
  const guided = new Float32Array(size);
  const part = size / scales.length;
  for (const [at, scale] of scales.entries())
    for (let i = at * part; i < (at + 1) * part; i++) {
      const away = both[i] ?? 0;
      guided[i] = away + scale * ((both[size + i] ?? 0) - away);
    }
  return guided;
}
