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
