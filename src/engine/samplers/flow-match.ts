// Euler's method on a rectified flow, straight from noise to data (Liu et al., 2209.03003; shift: 2403.03206, section 5.3.2).
import { type FlowConfig, readFlowConfig, shifted } from "./flow-config.ts";
import { linspace } from "./noise-schedule.ts";
import { mixedNoise, weightedSum } from "./prediction.ts";
import type { Sampler, SamplerRun } from "./sampler.ts";

export function createFlowMatch(raw: Record<string, unknown>, steps: number, run: SamplerRun = {}): Sampler {
  const config = readFlowConfig(raw);
  const plain = run.sigmas ?? ownSigmas(config, steps);
  const { shift } = config;
  const moved = plain.map((sigma) => Math.fround(shifted(config, sigma, { ...run, shift })));
  const sigmas = [...moved, 0];
  return {
    timesteps: moved.map((sigma) => Math.fround(sigma * config.num_train_timesteps)),
    initNoiseSigma: 1,
    scaleInput: (sample) => sample,
    noisy({ index, ...given }) {
      const noise = sigmas[index] ?? 0;
      return mixedNoise({ signal: 1 - noise, noise }, given);
    },
    step: ({ modelOutput, sample, index }) =>
      weightedSum([
        [1, sample],
        [(sigmas[index + 1] ?? 0) - (sigmas[index] ?? 0), modelOutput],
      ]),
  };
}

/** As diffusers' class does, the lowest level is shifted here already, and then once more with all of them. */
function ownSigmas(config: FlowConfig, steps: number): number[] {
  const { num_train_timesteps: total, shift, use_dynamic_shifting: isDynamic } = config;
  const lowest = isDynamic ? 1 / total : shifted(config, 1 / total, { shift });
  return linspace(total, Math.fround(lowest) * total, steps).map((timestep) => timestep / total);
}
