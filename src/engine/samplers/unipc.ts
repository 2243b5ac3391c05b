// UniPC: a multistep predictor, then a corrector with the next output (Zhao et al., 2302.04867, algorithms 5 and 8).
import { readSamplerConfig, type SamplerConfig } from "./config.ts";
import { multistepSchedule } from "./dpm-solver.ts";
import { type FlowConfig, readFlowConfig, shifted } from "./flow-config.ts";
import { linspace } from "./noise-schedule.ts";
import { cleanMix, type Levels, levelsOfSigma, mixed, mixedNoise, type Prediction, weightedSum } from "./prediction.ts";
import type { Sampler, SamplerRun } from "./sampler.ts";
import { solve } from "./solve.ts";

/** A clean prediction and the place in the schedule where it was made. */
type Seen = { clean: Float32Array; index: number };

export function createUniPc(raw: Record<string, unknown>, steps: number, run: SamplerRun = {}): Sampler {
  const { config, levels, timesteps } = raw.use_flow_sigmas === true ? flow(raw, steps, run) : noise(raw, steps);
  const prediction: Prediction = config.prediction_type;
  const order = (index: number) =>
    config.lower_order_final ? Math.min(config.solver_order, steps - index) : config.solver_order;
  let seen: Seen[] = [];
  let last: { sample: Float32Array; order: number } | undefined;

  return {
    timesteps,
    initNoiseSigma: 1,
    scaleInput: (sample) => sample,
    noisy: ({ index, ...given }) => mixedNoise(levels[index] ?? CLEAN, given),
    step({ modelOutput, sample, index }) {
      const clean = mixed(cleanMix[prediction](levels[index] ?? CLEAN), { sample, modelOutput });
      const move = (to: number, order: number) => ({ config, levels, seen: seen.slice(0, order), to });
      const corrected = last ? corrector(move(index, last.order), last.sample, clean) : sample;
      seen = [{ clean, index }, ...seen].slice(0, config.solver_order);
      last = { sample: corrected, order: Math.min(order(index), seen.length) };
      return predictor(move(index + 1, last.order), corrected);
    },
  };
}

const CLEAN: Levels = { signal: 1, noise: 0 };

/** The first level is kept a little below pure noise, where the logarithms below end (diffusers' value). */
const ALMOST_NOISE = 1 - 1e-6;

/** What the method takes its steps on. */
type Schedule = {
  config: Pick<FlowConfig | SamplerConfig, "solver_order" | "solver_type" | "lower_order_final" | "prediction_type">;
  /** One more than timesteps: where the run ends. */
  levels: Levels[];
  timesteps: number[];
};

/** For models that were trained on noise schedules; its class's defaults are those of diffusers' UniPC. */
function noise(raw: Record<string, unknown>, steps: number): Schedule {
  const config = readSamplerConfig(raw, { timestep_spacing: "linspace", solver_type: "bh2" });
  const { timesteps, sigmas } = multistepSchedule(config, steps);
  return { config, levels: sigmas.map(levelsOfSigma), timesteps };
}

function flow(raw: Record<string, unknown>, steps: number, run: SamplerRun): Schedule {
  const config = readFlowConfig(raw);
  const levels = levelsOf(config, steps, run);
  const timesteps = levels.slice(0, -1).map((level) => Math.trunc(level.noise * config.num_train_timesteps));
  return { config, levels, timesteps };
}

function levelsOf(config: FlowConfig, steps: number, run: SamplerRun): Levels[] {
  // Levels that a model would give to another schedule are not for this one, as in diffusers' pipelines.
  const plain = linspace(1, 1 / config.num_train_timesteps, steps + 1).slice(0, -1);
  const sigmas = plain.map((sigma) => shifted(config, sigma, { ...run, shift: config.flow_shift }));
  const kept = sigmas.map((sigma) => Math.fround(Math.min(sigma, ALMOST_NOISE)));
  return [...kept.map((noise) => ({ signal: 1 - noise, noise })), CLEAN];
}

/** From where the newest of `seen` was made to the place `to`. */
type Move = { config: Schedule["config"]; levels: readonly Levels[]; seen: readonly Seen[]; to: number };

/** Half the logarithm of the signal-to-noise ratio. */
const half = ({ signal, noise }: Levels) => Math.log(signal) - Math.log(noise);

/** What both halves of the method share: the first-order step, and slopes of earlier predictions over it. */
function prepare({ config, levels, seen, to }: Move) {
  const at = (index: number) => levels[index] ?? CLEAN;
  const [newest, ...earlier] = seen;
  const from = at(newest?.index ?? 0);
  const h = half(at(to)) - half(from);
  const grow = Math.expm1(-h);
  const ratios = earlier.map(({ index }) => (half(at(index)) - half(from)) / h);
  const base = config.solver_type === "bh1" ? -h : grow;
  return { from, next: at(to), h, grow, base, ratios, newest, earlier };
}

function predictor(move: Move, sample: Float32Array): Float32Array {
  const { from, next, h, grow, base, ratios, newest, earlier } = prepare(move);
  if (!newest) return sample;
  const weights = ratios.length === 1 ? [0.5] : solve(...equations({ h, base, ratios }));
  return stepped({ from, next, grow, base, sample, newest, slopes: slopes({ weights, ratios, earlier }) });
}

/** The step that led here anew, now that the model has said what it sees here. */
function corrector(move: Move, sample: Float32Array, clean: Float32Array): Float32Array {
  const { from, next, h, grow, base, ratios, newest, earlier } = prepare(move);
  if (!newest) return sample;
  const weights = ratios.length === 0 ? [0.5] : solve(...equations({ h, base, ratios: [...ratios, 1] }));
  const all = slopes({ weights, ratios: [...ratios, 1], earlier: [...earlier, { clean }] });
  return stepped({ from, next, grow, base, sample, newest, slopes: all });
}

/** Weights w of the slopes solve Σⱼ wⱼ·ratioⱼ^(i-1) = i!·φᵢ₊₁(-h) / B(h) for each i (equation 5). */
function equations({
  h,
  base,
  ratios,
}: {
  h: number;
  base: number;
  ratios: readonly number[];
}): [number[][], number[]] {
  const rows = ratios.map((_, power) => ratios.map((ratio) => ratio ** power));
  const sides: number[] = [];
  let phi = Math.expm1(-h) / -h - 1;
  let factorial = 1;
  for (let i = 1; i <= ratios.length; i++) {
    sides.push((phi * factorial) / base);
    factorial *= i + 1;
    phi = phi / -h - 1 / factorial;
  }
  return [rows, sides];
}

type Slope = { weight: number; clean: Float32Array };

const slopes = ({
  weights,
  ratios,
  earlier,
}: {
  weights: number[];
  ratios: number[];
  earlier: { clean: Float32Array }[];
}) => earlier.map(({ clean }, i): Slope => ({ weight: (weights[i] ?? 0) / (ratios[i] ?? 1), clean }));

type Stepped = {
  from: Levels;
  next: Levels;
  grow: number;
  base: number;
  sample: Float32Array;
  newest: Seen;
  slopes: readonly Slope[];
};

function stepped({ from, next, grow, base, sample, newest, slopes }: Stepped): Float32Array {
  const bend = -next.signal * base;
  const total = slopes.reduce((sum, { weight }) => sum + weight, 0);
  return weightedSum([
    [next.noise / from.noise, sample],
    [-next.signal * grow - bend * total, newest.clean],
    ...slopes.map(({ weight, clean }) => [bend * weight, clean] as const),
  ]);
}
