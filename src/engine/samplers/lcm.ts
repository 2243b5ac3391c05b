// Latent consistency sampling (Luo et al., 2310.04378, algorithm 2): guess the clean sample, add noise, guess again.
import { ForecourtError } from "../../core/errors.ts";
import type { SamplerConfig } from "./config.ts";
import { linspace, signalShares } from "./noise-schedule.ts";
import { cleanMix, levelsOfShare, mixed, mixedNoise, weightedSum } from "./prediction.ts";
import type { Sampler, SamplerRun } from "./sampler.ts";

export const lcmDefaults: Partial<SamplerConfig> = {
  beta_start: 0.00085,
  beta_end: 0.012,
  beta_schedule: "scaled_linear",
};

/** Standard deviation of the data in the boundary conditions, equation 9. */
const DATA_DEVIATION = 0.5;

export function createLcm(config: SamplerConfig, steps: number, { strength = 1 }: SamplerRun = {}): Sampler {
  const shares = signalShares(config);
  const timesteps = lcmTimesteps(config, steps, strength);
  return {
    timesteps,
    initNoiseSigma: 1,
    scaleInput: (sample) => sample,
    noisy: ({ index, ...given }) => mixedNoise(levelsOfShare(shares[timesteps[index] ?? 0] ?? 0), given),
    step({ modelOutput, sample, index, noise }) {
      const timestep = timesteps[index] ?? 0;
      const clean = mixed(cleanMix[config.prediction_type](levelsOfShare(shares[timestep] ?? 0)), {
        sample,
        modelOutput,
      });
      const time = timestep * config.timestep_scaling;
      const spread = time ** 2 + DATA_DEVIATION ** 2;
      const denoised = weightedSum([
        [time / Math.sqrt(spread), config.clip_sample ? clip(clean, config.clip_sample_range) : clean],
        [DATA_DEVIATION ** 2 / spread, sample],
      ]);
      const next = timesteps[index + 1];
      if (next === undefined) return denoised;
      const levels = levelsOfShare(shares[next] ?? 0);
      return weightedSum([
        [levels.signal, denoised],
        [levels.noise, noise()],
      ]);
    },
  };
}

const clip = (values: Float32Array, limit: number) => values.map((value) => Math.min(limit, Math.max(-limit, value)));

/**
 * `steps` of the `original_inference_steps` on which the model was distilled, highest first; of the lower part of them for a
 * strength below 1, and no more than that part has.
 */
export function lcmTimesteps(config: SamplerConfig, steps: number, strength: number): number[] {
  const { num_train_timesteps: total } = config;
  const original = Math.max(1, Math.trunc(config.original_inference_steps * strength));
  const taken = strength < 1 ? Math.min(steps, original) : steps;
  if (taken > original) {
    throw new ForecourtError("invalid_input", `this model takes at most ${original} steps here, not ${steps}`, {
      problems: [
        {
          loc: ["body", "num_inference_steps"],
          msg: `Input should be less than or equal to ${original}`,
          type: "less_than_equal",
          ctx: { le: original },
          input: steps,
        },
      ],
    });
  }
  const stride = Math.floor(total / config.original_inference_steps);
  return linspace(0, original, taken + 1)
    .slice(0, -1)
    .map((at) => (original - Math.floor(at)) * stride - 1);
}
