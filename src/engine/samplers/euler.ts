// Euler's method on the probability-flow ODE (Karras et al., 2206.00364, algorithm 2 without churn), and its ancestral form.
import type { SamplerConfig } from "./config.ts";
import { noiseLevels, positiveShares } from "./noise-schedule.ts";
import { cleanMix, levelsOfSigma, type Mix, mixedNoise, type Prediction, weightedSum } from "./prediction.ts";
import type { Sampler } from "./sampler.ts";
import { finalSigma, karrasSigmas, sigmaAt, timestepOf } from "./sigmas.ts";
import { spacedTimesteps } from "./timesteps.ts";

export const eulerDefaults: Partial<SamplerConfig> = { timestep_spacing: "linspace" };

/** Stable Video Diffusion's, of Euler alone. */
export const eulerReads = ["timestep_type", "sigma_min", "sigma_max"];

export function createEuler(config: SamplerConfig, steps: number): Sampler {
  const { timesteps, sigmas } = eulerSchedule(config, steps);
  return {
    timesteps,
    initNoiseSigma: initNoiseSigma(config, sigmas),
    scaleInput: (sample, index) => scaled(sample, sigmas[index] ?? 0),
    noisy: ({ index, ...given }) => mixedNoise({ signal: 1, noise: sigmas[index] ?? 0 }, given),
    step({ modelOutput, sample, index }) {
      const sigma = sigmas[index] ?? 0;
      const slope = slopeMix(config.prediction_type, sigma);
      const distance = (sigmas[index + 1] ?? 0) - sigma;
      return weightedSum([
        [1 + distance * slope.sample, sample],
        [distance * slope.output, modelOutput],
      ]);
    },
  };
}

/** Each step goes further down than Euler's and climbs back with fresh noise. Draws noise at every step, also the last. */
export function createEulerAncestral(config: SamplerConfig, steps: number): Sampler {
  const { timesteps, sigmas } = eulerSchedule(config, steps);
  return {
    timesteps,
    initNoiseSigma: initNoiseSigma(config, sigmas),
    scaleInput: (sample, index) => scaled(sample, sigmas[index] ?? 0),
    noisy: ({ index, ...given }) => mixedNoise({ signal: 1, noise: sigmas[index] ?? 0 }, given),
    step({ modelOutput, sample, index, noise }) {
      const sigma = sigmas[index] ?? 0;
      const next = sigmas[index + 1] ?? 0;
      const up = Math.sqrt((next ** 2 * (sigma ** 2 - next ** 2)) / sigma ** 2);
      const down = Math.sqrt(next ** 2 - up ** 2);
      const slope = slopeMix(config.prediction_type, sigma);
      return weightedSum([
        [1 + (down - sigma) * slope.sample, sample],
        [(down - sigma) * slope.output, modelOutput],
        [up, noise()],
      ]);
    },
  };
}

type Schedule = { timesteps: number[]; sigmas: number[] };

/** `sigmas` has one element more than `timesteps`: where the run ends. */
function eulerSchedule(config: SamplerConfig, steps: number): Schedule {
  const table = noiseLevels(positiveShares(config));
  const plain = spacedTimesteps(config, steps).map(Math.fround);
  const levels = plain.map((timestep) => sigmaAt(table, timestep));
  const end = finalSigma(config, table);
  // As in diffusers, which asks for both.
  const isContinuous = config.timestep_type === "continuous" && config.prediction_type === "v_prediction";
  const told = (sigma: number) => Math.fround(isContinuous ? 0.25 * Math.log(sigma) : timestepOf(table, sigma));
  if (!config.use_karras_sigmas)
    return { timesteps: isContinuous ? levels.map(told) : plain, sigmas: [...levels, end] };
  const { sigma_min: min = levels.at(-1) ?? 0, sigma_max: max = levels[0] ?? 0 } = config;
  const sigmas = karrasSigmas({ min, max, steps });
  return { timesteps: sigmas.map(told), sigmas: [...sigmas, end] };
}

function initNoiseSigma(config: SamplerConfig, sigmas: readonly number[]): number {
  const highest = Math.max(...sigmas);
  return config.timestep_spacing === "leading" ? Math.sqrt(highest ** 2 + 1) : highest;
}

/** These samplers' sample is clean + σ·noise; models are trained on samples of constant variance. */
const scaled = (sample: Float32Array, sigma: number) => weightedSum([[levelsOfSigma(sigma).signal, sample]]);

/** dx/dσ = (x - clean) / σ as a mix of x and the model's output. */
function slopeMix(prediction: Prediction, sigma: number): Mix {
  const levels = levelsOfSigma(sigma);
  const clean = cleanMix[prediction](levels);
  return { sample: (1 - clean.sample * levels.signal) / sigma, output: -clean.output / sigma };
}
