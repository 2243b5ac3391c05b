// PNDM as Stable Diffusion uses it: pseudo linear multistep (PLMS) only (Liu et al., 2202.09778, equations 9 and 12).
import { ForecourtError, invariant } from "../../core/errors.ts";
import type { SamplerConfig } from "./config.ts";
import { type SignalShares, signalShares } from "./noise-schedule.ts";
import { levelsOfShare, mixed, mixedNoise, noiseMix, weightedSum } from "./prediction.ts";
import type { Sampler } from "./sampler.ts";
import { roundHalfEven, spacedTimesteps } from "./timesteps.ts";

export const pndmDefaults: Partial<SamplerConfig> = { set_alpha_to_one: false };

/** Adams-Bashforth weights of the latest outputs, newest first, by how many there are. */
const WEIGHTS = [
  [1],
  [3 / 2, -1 / 2],
  [23 / 12, -16 / 12, 5 / 12],
  [55 / 24, -59 / 24, 37 / 24, -9 / 24],
] as const satisfies readonly (readonly number[])[];

/**
 * Calls the model once more than `steps`: the second timestep is visited twice. A run that begins later has no such
 * double visit and, as in diffusers, still takes its first step anew.
 */
export function createPndm(config: SamplerConfig, steps: number): Sampler {
  if (!config.skip_prk_steps) {
    throw new ForecourtError("misconfigured", "PNDMScheduler is supported with skip_prk_steps = true only");
  }
  const timesteps = plmsTimesteps(config, steps);
  const stride = Math.floor(config.num_train_timesteps / steps);
  const shares = signalShares(config);
  const transfer = createTransfer(config, shares);
  let taken = 0;
  let outputs: Float32Array[] = [];
  let first: Float32Array | undefined;

  return {
    timesteps,
    initNoiseSigma: 1,
    scaleInput: (sample) => sample,
    noisy: ({ index, ...given }) => mixedNoise(levelsOfShare(shares[timesteps[index] ?? 0] ?? 0), given),
    step({ modelOutput, sample, index }) {
      const timestep = timesteps[index] ?? 0;
      const step = taken++;
      if (step === 1) {
        // The second call looks at the end of the first step and takes that step anew with the mean of both outputs.
        const [firstOutput] = outputs;
        invariant(firstOutput && first, "PNDM steps are taken in order");
        const mean = weightedSum([
          [0.5, modelOutput],
          [0.5, firstOutput],
        ]);
        return transfer({ sample: first, modelOutput: mean, from: timestep + stride, to: timestep });
      }
      if (step === 0) first = sample;
      outputs = [modelOutput, ...outputs].slice(0, 4);
      const weights = WEIGHTS[outputs.length - 1] ?? WEIGHTS[3];
      const blended = weightedSum(outputs.map((output, i) => [weights[i] ?? 0, output]));
      return transfer({ sample, modelOutput: blended, from: timestep, to: timestep - stride });
    },
  };
}

function plmsTimesteps(config: SamplerConfig, steps: number): number[] {
  const once = spacedTimesteps(config, steps).map(roundHalfEven);
  return [...once.slice(0, 2), ...once.slice(1)];
}

type Transfer = { sample: Float32Array; modelOutput: Float32Array; from: number; to: number };

/** Equation 9: the sample at timestep `to`, given that at `from` and the noise in it. */
function createTransfer(config: SamplerConfig, shares: SignalShares): (given: Transfer) => Float32Array {
  const lastShare = config.set_alpha_to_one ? 1 : (shares[0] ?? 1);
  return ({ sample, modelOutput, from, to }) => {
    const share = shares[from] ?? 0;
    const next = shares[to] ?? lastShare;
    const noise = mixed(noiseMix[config.prediction_type](levelsOfShare(share)), { sample, modelOutput });
    const divisor = share * Math.sqrt(1 - next) + Math.sqrt(share * (1 - share) * next);
    return weightedSum([
      [Math.sqrt(next / share), sample],
      [(share - next) / divisor, noise],
    ]);
  };
}
