import { expect, test } from "bun:test";
import { createSampler } from "../../../src/engine/samplers/registry.ts";

const failureOf = (config: Record<string, unknown>, steps = 4) => {
  try {
    createSampler(config, steps);
  } catch (error) {
    return error;
  }
  throw new Error("expected a failure");
};

test("a class that is not there is refused with the list of those that are", () => {
  expect(failureOf({ _class_name: "HeunDiscreteScheduler" })).toMatchObject({
    code: "misconfigured",
    message: expect.stringContaining("EulerDiscreteScheduler"),
  });
});

test("settings that would be ignored are refused, their neutral values are accepted", () => {
  const config = { _class_name: "DDIMScheduler", thresholding: false, trained_betas: null, sample_max_value: 1 };
  expect(createSampler(config, 4).timesteps).toHaveLength(4);
  expect(failureOf({ ...config, thresholding: true })).toMatchObject({
    code: "misconfigured",
    message: "scheduler_config.json: thresholding = true is not supported",
  });
  expect(failureOf({ _class_name: "PNDMScheduler" })).toMatchObject({ code: "misconfigured" });
  expect(failureOf({ ...config, beta_schedule: "sigmoid" })).toMatchObject({
    code: "misconfigured",
    message: expect.stringContaining("beta_schedule"),
  });
});

const neutral = {
  thresholding: false,
  use_exponential_sigmas: false,
  use_beta_sigmas: false,
  predict_x0: true,
};
const ofClass = {
  DDIMScheduler: {
    ...neutral,
    interpolation_type: "linear",
    use_lu_lambdas: false,
    use_flow_sigmas: false,
    use_dynamic_shifting: false,
    timestep_type: "discrete",
    sigma_min: null,
    sigma_max: null,
  },
  FlowMatchEulerDiscreteScheduler: {
    ...neutral,
    invert_sigmas: false,
    stochastic_sampling: false,
    use_karras_sigmas: false,
  },
};
test.each(Object.entries(ofClass))(
  "each setting that %s lacks is accepted as what it does, and in no other way",
  (_class_name, settings) => {
    expect(createSampler({ _class_name, ...settings }, 4).timesteps).toHaveLength(4);
    for (const [name, value] of Object.entries(settings))
      expect(failureOf({ _class_name, ...settings, [name]: typeof value === "boolean" ? !value : 0.5 })).toMatchObject({
        code: "misconfigured",
        message: expect.stringContaining(name),
      });
  },
);

test("DPM-Solver++ of the third order is refused, as which UniPC runs", () => {
  const config = { solver_order: 3, solver_type: "bh2" };
  expect(failureOf({ ...config, _class_name: "DPMSolverMultistepScheduler" })).toMatchObject({ code: "misconfigured" });
  expect(createSampler({ ...config, _class_name: "UniPCMultistepScheduler" }, 4).timesteps).toHaveLength(4);
});

test("more steps than there are timesteps is the caller's mistake", () => {
  expect(failureOf({ _class_name: "DDIMScheduler", num_train_timesteps: 3 })).toMatchObject({ code: "invalid_input" });
  expect(failureOf({ _class_name: "LCMScheduler" }, 51)).toMatchObject({
    code: "invalid_input",
    problems: [{ loc: ["body", "num_inference_steps"], ctx: { le: 50 } }],
  });
});

test("LCM takes its steps of those on which the model was distilled, of the lower part of them for a strength below 1", () => {
  const timesteps = (more: object, steps: number, strength?: number) =>
    createSampler({ _class_name: "LCMScheduler", ...more }, steps, strength === undefined ? {} : { strength })
      .timesteps;
  expect(timesteps({}, 4)).toEqual([999, 759, 499, 259]);
  expect(timesteps({ original_inference_steps: 30 }, 4)).toEqual([989, 758, 494, 263]);
  expect(timesteps({}, 4, 0.5)).toEqual([499, 379, 259, 139]);
  // The half has no more than 25 of them.
  expect(timesteps({}, 30, 0.5)).toEqual(Array.from({ length: 25 }, (_, i) => 499 - 20 * i));
});

test.each([
  // The share of signal left after half of the steps is diffusers' own.
  ["DDIMScheduler", { steps_offset: 0 }, 500, Math.sqrt(0.27633246779441833), Math.sqrt(1 - 0.27633246779441833)],
  ["EulerDiscreteScheduler", { timestep_spacing: "leading" }, 500, 1, Math.sqrt(1 / 0.27633246779441833 - 1)],
  ["FlowMatchEulerDiscreteScheduler", {}, 1000, 0, 1],
])("%s puts noise on a clean sample by the level of a step", (_class_name, more, timestep, signal, noise) => {
  const schedule = { beta_start: 0.00085, beta_end: 0.012, beta_schedule: "scaled_linear" };
  const sampler = createSampler({ _class_name, ...schedule, ...more }, 2);
  expect(sampler.timesteps[0]).toBe(timestep);
  const [noisy = Number.NaN] = sampler.noisy({ index: 0, clean: Float32Array.of(3), noise: Float32Array.of(-2) });
  expect(noisy).toBeCloseTo(3 * signal - 2 * noise, 5);
});

test("a step leaves the arrays that it was given as they were", () => {
  for (const _class_name of [
    "DDIMScheduler",
    "EulerDiscreteScheduler",
    "DPMSolverMultistepScheduler",
    "LCMScheduler",
    "TCDScheduler",
    "UniPCMultistepScheduler",
  ]) {
    const sampler = createSampler({ _class_name }, 2);
    const [sample, modelOutput] = [Float32Array.of(1, 2), Float32Array.of(3, 4)];
    const next = sampler.step({ sample, modelOutput, index: 0, noise: () => new Float32Array(2) });
    expect(next).not.toBe(sample);
    expect([sample, modelOutput]).toEqual([Float32Array.of(1, 2), Float32Array.of(3, 4)]);
  }
});
