// Samplers against numbers that Python's diffusers produced (their making is described in the file's `_about`).
import { describe, expect, test } from "bun:test";
import { linspace } from "../../../src/engine/samplers/noise-schedule.ts";
import { createSampler, samplers } from "../../../src/engine/samplers/registry.ts";
import golden from "./golden.json";
import settings from "./settings.json";

type Case = {
  /** Relative; absent = 1e-5. */
  tolerance?: number;
  scheduler: string;
  config: Record<string, unknown>;
  steps: number;
  /** Present = the case of a model that passes its own levels, 1 to 1/steps. */
  mu?: number | null;
  init_noise_sigma: number;
  timesteps: number[];
  prev: number[][];
};

/** The closed-form model and noise of the golden file. */
const output = (seen: number, i: number, timestep: number) => 0.3 * seen + 0.05 * Math.cos(i) + 0.0005 * timestep;

/** FLUX gives its schedule the levels; the file's other flow cases leave them to the class. */
const runOf = ({ scheduler, steps, mu }: Case) => ({
  ...(scheduler === "FlowMatchEulerDiscreteScheduler" && { sigmas: linspace(1, 1 / steps, steps) }),
  ...(typeof mu === "number" && { mu }),
});

function replay(wanted: Case) {
  const { scheduler, config, steps } = wanted;
  const sampler = createSampler({ ...config, _class_name: scheduler }, steps, runOf(wanted));
  let draws = 0;
  const noise = () => {
    const draw = draws++;
    return Float32Array.from({ length: 8 }, (_, i) => Math.sin(3 * i + 7 * draw + 0.5));
  };
  let sample = Float32Array.from({ length: 8 }, (_, i) => Math.sin(1 + i) * sampler.initNoiseSigma);
  const samples = sampler.timesteps.map((timestep, index) => {
    const modelOutput = sampler.scaleInput(sample, index).map((seen, i) => output(seen, i, timestep));
    sample = new Float32Array(sampler.step({ modelOutput, sample, index, noise }));
    return sample;
  });
  return { sampler, samples };
}

/** Largest difference relative to the size of the numbers compared. */
function distance(actual: ArrayLike<number>, wanted: readonly number[]): number {
  expect(actual.length).toBe(wanted.length);
  const scale = Math.max(...wanted.map(Math.abs), 1e-3);
  return Math.max(...wanted.map((value, i) => Math.abs((actual[i] ?? Number.NaN) - value))) / scale;
}

function agrees(wanted: Case) {
  const { sampler, samples } = replay(wanted);
  const { tolerance = 1e-5 } = wanted;
  expect(distance([sampler.initNoiseSigma], [wanted.init_noise_sigma])).toBeLessThan(1e-5);
  expect(distance(sampler.timesteps, wanted.timesteps)).toBeLessThan(1e-5);
  for (const [index, values] of wanted.prev.entries()) {
    expect(distance(samples[index] ?? [], values)).toBeLessThan(tolerance);
  }
}

const { _about, ...usual } = golden;
const cases = Object.entries({ ...usual, ...settings } as Record<string, Case>);

describe("samplers give diffusers' numbers", () => {
  test("there are cases for every sampler", () => {
    const tried = new Set(cases.map(([, { scheduler }]) => scheduler));
    expect([...tried].sort()).toEqual(Object.keys(samplers).sort());
  });

  test.each(cases)("%s", (_, wanted) => agrees(wanted));
});
