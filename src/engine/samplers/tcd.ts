// Trajectory consistency sampling (Zheng et al., 2402.19159, algorithm 4): a guess on the way, then noise up to the next step.
import type { SamplerConfig } from "./config.ts";
import { lcmDefaults, lcmTimesteps } from "./lcm.ts";
import { signalShares } from "./noise-schedule.ts";
import { cleanMix, levelsOfShare, type Mix, mixed, mixedNoise, noiseMix, weightedSum } from "./prediction.ts";
import type { Sampler, SamplerRun } from "./sampler.ts";

export const tcdDefaults = lcmDefaults;

/** `eta` is the paper's γ: of the way to the next timestep the guess goes further by this share, and noise leads back. */
export function createTcd(config: SamplerConfig, steps: number, { strength = 1 }: SamplerRun = {}): Sampler {
  const shares = signalShares(config);
  const shareAt = (timestep: number) => shares[timestep] ?? 0;
  const timesteps = lcmTimesteps(config, steps, strength);
  return {
    timesteps,
    initNoiseSigma: 1,
    scaleInput: (sample) => sample,
    noisy: ({ index, ...given }) => mixedNoise(levelsOfShare(shareAt(timesteps[index] ?? 0)), given),
    step({ modelOutput, sample, index, noise }) {
      const levels = levelsOfShare(shareAt(timesteps[index] ?? 0));
      const next = timesteps[index + 1] ?? 0;
      const share = shareAt(Math.floor((1 - config.eta) * next));
      const guess = levelsOfShare(share);
      const part = (mix: Mix) => mixed(mix, { sample, modelOutput });
      const guessed = weightedSum([
        [guess.signal, part(cleanMix[config.prediction_type](levels))],
        [guess.noise, part(noiseMix[config.prediction_type](levels))],
      ]);
      if (config.eta === 0 || index === timesteps.length - 1) return guessed;
      const ratio = shareAt(next) / share;
      return weightedSum([
        [Math.sqrt(ratio), guessed],
        [Math.sqrt(1 - ratio), noise()],
      ]);
    },
  };
}
