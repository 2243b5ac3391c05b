import { expect, test } from "bun:test";
import { empiricalShift, linearShift } from "../../../src/engine/samplers/flow-shift.ts";
import { createSampler } from "../../../src/engine/samplers/registry.ts";

const FLUX = { base_shift: 0.5, max_shift: 1.15, base_image_seq_len: 256, max_image_seq_len: 4096 };

test("FLUX.1's shift is that of its two measured sizes and lies on the line between them", () => {
  expect(linearShift(FLUX, 256)).toBeCloseTo(0.5, 12);
  expect(linearShift(FLUX, 4096)).toBeCloseTo(1.15, 12);
  expect(linearShift(FLUX, 1024)).toBeCloseTo(0.63, 12);
});

test("FLUX.2's shift is diffusers' for few and for many tokens", () => {
  expect(empiricalShift({ tokens: 1024, steps: 4 })).toBeCloseTo(2.0306897079499455, 12);
  expect(empiricalShift({ tokens: 5000, steps: 4 })).toBeCloseTo(0.00016927 * 5000 + 0.45666666, 12);
});

test("a flow's own levels lie evenly between its highest and its lowest, which is shifted twice, as in diffusers", () => {
  const levels = (more: object, run: object = {}) =>
    createSampler({ _class_name: "FlowMatchEulerDiscreteScheduler", ...more }, 4, run).timesteps;
  expect(levels({})).toEqual([1000, 667, 334, 1]);
  for (const [i, level] of [1000, 857.6923, 602.1505, 8.9286].entries())
    expect(levels({ shift: 3 })[i]).toBeCloseTo(level, 3);
  // Where the shift depends on the size, the lowest is shifted once.
  for (const [i, level] of [1000, 857.3265, 600.7194, 2.994].entries())
    expect(levels({ use_dynamic_shifting: true }, { mu: Math.log(3) })[i]).toBeCloseTo(level, 3);
});

test("a dynamic schedule is refused without its shift, and other arrangements of a flow are refused by name", () => {
  const config = { _class_name: "FlowMatchEulerDiscreteScheduler" };
  const failure = (more: object) => {
    try {
      createSampler({ ...config, ...more }, 4);
    } catch (error) {
      return error;
    }
    throw new Error("expected a failure");
  };
  expect(failure({ use_dynamic_shifting: true })).toMatchObject({ code: "misconfigured" });
  expect(failure({ stochastic_sampling: true })).toMatchObject({
    code: "misconfigured",
    message: "scheduler_config.json: stochastic_sampling = true is not supported",
  });
  const dynamic = { _class_name: "UniPCMultistepScheduler", use_dynamic_shifting: true };
  expect(failure(dynamic)).toMatchObject({ code: "misconfigured" });
});
