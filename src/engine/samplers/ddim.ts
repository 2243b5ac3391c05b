// DDIM (Song et al., 2010.02502, equation 12).
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
    step({ modelOutput, sample, index, noise: draw }) {
      const timestep = timesteps[index] ?? 0;
      const share = shares[timestep] ?? 0;
      const nextShare = shares[timestep - stride] ?? lastShare;
      const [levels, next] = [levelsOfShare(share), levelsOfShare(nextShare)];
      const added = config.eta * Math.sqrt(((1 - nextShare) / (1 - share)) * (1 - share / nextShare));
      const kept = Math.sqrt(1 - nextShare - added ** 2);
      const clean = mixed(cleanMix[config.prediction_type](levels), { sample, modelOutput });
      // As in diffusers the noise is that of the unclipped prediction.
      const noise = noiseMix[config.prediction_type](levels);
      return weightedSum([
        [next.signal, clipped(clean, clip)],
        [kept * noise.sample, sample],
        [kept * noise.output, modelOutput],
        ...(added > 0 ? [[added, draw()] as const] : []),
      ]);
    },
  };
}

const clipped = (values: Float32Array, limit: number) =>
  limit === Number.POSITIVE_INFINITY ? values : values.map((value) => Math.min(limit, Math.max(-limit, value)));
