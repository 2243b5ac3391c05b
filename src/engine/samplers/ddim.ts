// DDIM without added noise (Song et al., 2010.02502, equation 12 with η = 0).
import type { SamplerConfig } from "./config.ts";
import { signalShares } from "./noise-schedule.ts";
import { cleanMix, levelsOfShare, mixed, mixedNoise, noiseMix, weightedSum } from "./prediction.ts";
import type { Sampler } from "./sampler.ts";
import { roundHalfEven, spacedTimesteps } from "./timesteps.ts";

export const ddimDefaults: Partial<SamplerConfig> = { clip_sample: true };

export function createDdim(config: SamplerConfig, steps: number): Sampler {
  const shares = signalShares(config);
  const timesteps = spacedTimesteps(config, steps).map(roundHalfEven);
  const stride = Math.floor(config.num_train_timesteps / steps);
  const lastShare = config.set_alpha_to_one ? 1 : (shares[0] ?? 1);
  const clip = config.clip_sample ? config.clip_sample_range : Number.POSITIVE_INFINITY;
  return {
    timesteps,
    initNoiseSigma: 1,
    scaleInput: (sample) => sample,
    noisy: ({ index, ...given }) => mixedNoise(levelsOfShare(shares[timesteps[index] ?? 0] ?? 0), given),
    step({ modelOutput, sample, index }) {
      const timestep = timesteps[index] ?? 0;
      const levels = levelsOfShare(shares[timestep] ?? 0);
      const next = levelsOfShare(shares[timestep - stride] ?? lastShare);
      const clean = mixed(cleanMix[config.prediction_type](levels), { sample, modelOutput });
      // As in diffusers the noise is that of the unclipped prediction.
      const noise = noiseMix[config.prediction_type](levels);
      return weightedSum([
        [next.signal, clipped(clean, clip)],
        [next.noise * noise.sample, sample],
        [next.noise * noise.output, modelOutput],
      ]);
    },
  };
}

const clipped = (values: Float32Array, limit: number) =>
  limit === Number.POSITIVE_INFINITY ? values : values.map((value) => Math.min(limit, Math.max(-limit, value)));
