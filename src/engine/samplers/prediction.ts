// What a model's output says about the clean sample and the noise, for each way in which models are trained to answer.
import type { SamplerConfig } from "./config.ts";

/** A weighted sum of the noisy sample and the model's output. */
export type Mix = { sample: number; output: number };

/** The noisy sample is `signal` · clean + `noise` · noise. */
export type Levels = { signal: number; noise: number };

/** "flow_prediction" = noise - clean, for levels whose signal and noise add up to 1. */
export type Prediction = SamplerConfig["prediction_type"] | "flow_prediction";

export const cleanMix: Record<Prediction, (levels: Levels) => Mix> = {
  epsilon: ({ signal, noise }) => ({ sample: 1 / signal, output: -noise / signal }),
  v_prediction: ({ signal, noise }) => ({ sample: signal, output: -noise }),
  sample: () => ({ sample: 0, output: 1 }),
  flow_prediction: ({ noise }) => ({ sample: 1, output: -noise }),
};

export const noiseMix: Record<Prediction, (levels: Levels) => Mix> = {
  epsilon: () => ({ sample: 0, output: 1 }),
  v_prediction: ({ signal, noise }) => ({ sample: noise, output: signal }),
  sample: ({ signal, noise }) => ({ sample: 1 / noise, output: -signal / noise }),
  flow_prediction: ({ signal }) => ({ sample: 1, output: signal }),
};

/** Levels of a sample that keeps its variance, from ᾱ. */
export const levelsOfShare = (share: number): Levels => ({ signal: Math.sqrt(share), noise: Math.sqrt(1 - share) });

/** The same from σ = noise / signal. */
export const levelsOfSigma = (sigma: number): Levels => {
  const signal = 1 / Math.sqrt(sigma * sigma + 1);
  return { signal, noise: sigma * signal };
};

/** The sample of these levels. */
export const mixedNoise = ({ signal, noise }: Levels, given: { clean: Float32Array; noise: Float32Array }) =>
  weightedSum([
    [signal, given.clean],
    [noise, given.noise],
  ]);

/** Σ weight · values, element by element, summed in float64. A term of weight 0 adds nothing, not even infinities. */
export function weightedSum(terms: readonly (readonly [weight: number, values: Float32Array])[]): Float32Array {
  const sums = new Float64Array(terms[0]?.[1].length ?? 0);
  for (const [weight, values] of terms) {
    if (weight !== 0) addWeighted(sums, weight, values);
  }
  return new Float32Array(sums);
}

/** By itself, since the engine compiles a function of one loop to twice the speed. */
function addWeighted(sums: Float64Array, weight: number, values: Float32Array): void {
  for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] ?? 0) + weight * (values[i] ?? 0);
}

/** The same with a mix of sample and output. */
export const mixed = (mix: Mix, { sample, modelOutput }: { sample: Float32Array; modelOutput: Float32Array }) =>
  weightedSum([
    [mix.sample, sample],
    [mix.output, modelOutput],
  ]);
