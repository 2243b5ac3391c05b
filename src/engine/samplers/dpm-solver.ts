// DPM-Solver++ multistep, first and second order, and its stochastic form (Lu et al., 2211.01095).
import { ForecourtError } from "../../core/errors.ts";
import type { SamplerConfig } from "./config.ts";
import { noiseLevels, positiveShares } from "./noise-schedule.ts";
import { cleanMix, type Levels, levelsOfSigma, mixed, mixedNoise, weightedSum } from "./prediction.ts";
import type { Sampler } from "./sampler.ts";
import { finalSigma, karrasSigmas, sigmaAt, timestepOf } from "./sigmas.ts";
import { roundHalfEven, spacedTimesteps } from "./timesteps.ts";

export const dpmSolverDefaults: Partial<SamplerConfig> = { timestep_spacing: "linspace" };

/** Below this many steps `lower_order_final` makes the last step a first-order one. */
const FEW_STEPS = 15;

export function createDpmSolver(config: SamplerConfig, steps: number): Sampler {
  if (config.solver_order > 2)
    throw new ForecourtError("misconfigured", "scheduler_config.json: DPM-Solver++ is here of order 1 or 2, not 3");
  const { timesteps, sigmas } = multistepSchedule(config, steps);
  const isStochastic = config.algorithm_type === "sde-dpmsolver++";
  let previous: Float32Array | undefined;

  return {
    timesteps,
    initNoiseSigma: 1,
    scaleInput: (sample) => sample,
    noisy: ({ index, ...given }) => mixedNoise(levelsOfSigma(sigmas[index] ?? 0), given),
    step({ modelOutput, sample, index, noise }) {
      const move = moveBetween(sigmas[index] ?? 0, sigmas[index + 1] ?? 0);
      const clean = mixed(cleanMix[config.prediction_type](move.from), { sample, modelOutput });
      const decay = isStochastic ? Math.exp(-2 * move.h) : Math.exp(-move.h);
      const terms: [number, Float32Array][] = [
        [(move.to.noise / move.from.noise) * (isStochastic ? Math.exp(-move.h) : 1), sample],
        [move.to.signal * (1 - decay), clean],
      ];
      if (previous && !isFirstOrder(config, index, timesteps.length)) {
        const earlier = moveBetween(sigmas[index - 1] ?? 0, sigmas[index] ?? 0);
        const weight = curveWeight(config, move, decay) * (move.h / earlier.h);
        terms.push([weight, clean], [-weight, previous]);
      }
      if (isStochastic) terms.push([move.to.noise * Math.sqrt(1 - Math.exp(-2 * move.h)), noise()]);
      previous = clean;
      return weightedSum(terms);
    },
  };
}

type Move = {
  from: Levels;
  to: Levels;
  /** Growth of the log signal-to-noise ratio; infinite when `to` is clean. */
  h: number;
};

function moveBetween(sigma: number, next: number): Move {
  return { from: levelsOfSigma(sigma), to: levelsOfSigma(next), h: Math.log(sigma) - Math.log(next) };
}

/** What the difference of the last two clean predictions weighs, before scaling by the ratio of the two moves. */
function curveWeight(config: SamplerConfig, { to, h }: Move, decay: number): number {
  if (config.solver_type !== "heun") return 0.5 * to.signal * (1 - decay);
  const slope = config.algorithm_type === "sde-dpmsolver++" ? 2 * h : h;
  return to.signal * (1 - (1 - decay) / slope);
}

function isFirstOrder(config: SamplerConfig, index: number, count: number): boolean {
  if (config.solver_order === 1) return true;
  const isLast = index === count - 1;
  const goesLow = config.euler_at_final || (config.lower_order_final && count < FEW_STEPS);
  return isLast && (goesLow || config.final_sigmas_type === "zero");
}

/** Of DPM-Solver++ and UniPC; `sigmas` has one element more than `timesteps`: where the run ends. */
export function multistepSchedule(config: SamplerConfig, steps: number): { timesteps: number[]; sigmas: number[] } {
  const table = noiseLevels(positiveShares(config));
  const end = finalSigma(config, table);
  if (config.use_karras_sigmas) {
    const sigmas = karrasSigmas({ min: table[0] ?? 0, max: table.at(-1) ?? 0, steps });
    const exact = sigmas.map((sigma) => timestepOf(table, sigma));
    const timesteps = exact.map(config.beta_schedule === "squaredcos_cap_v2" ? Math.trunc : roundHalfEven);
    return { timesteps, sigmas: [...sigmas, end] };
  }
  const timesteps = multistepTimesteps(config, steps);
  return { timesteps, sigmas: [...timesteps.map((timestep) => sigmaAt(table, timestep)), end] };
}

/** One more than asked for and without the lowest, except for "trailing". */
function multistepTimesteps(config: SamplerConfig, steps: number): number[] {
  if (config.timestep_spacing === "trailing") return spacedTimesteps(config, steps);
  return spacedTimesteps(config, steps + 1)
    .map(roundHalfEven)
    .slice(0, -1);
}
