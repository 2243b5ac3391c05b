// How a family makes the sampler of a run, and at which of its steps a run begins that starts from a picture.
import { ForecourtError } from "../../core/errors.ts";
import { createSampler } from "../samplers/registry.ts";
import type { Sampler, SamplerRun } from "../samplers/sampler.ts";
import type { Size } from "./image-size.ts";

export type SamplingRun = {
  steps: number;
  /** Fields that differ from the repository's scheduler_config.json. */
  changes?: Record<string, unknown>;
  /** Of one picture. */
  latents: Size;
  /** How much of a given picture to redraw, from 0 to 1; absent = the run starts from nothing but noise. */
  strength?: number;
};

/** `from` is the place in the sampler's timesteps where the run begins. */
export type Sampling = (run: SamplingRun) => { sampler: Sampler; from: number };

/** For models that were trained on noise schedules: every sampler but those for flows. */
export function noiseSampling(config: Record<string, unknown>): Sampling {
  return ({ steps, changes, strength = 1 }) => {
    const sampler = createSampler({ ...config, ...changes }, steps);
    return { sampler, from: within(sampler, steps - Math.min(steps, Math.trunc(steps * strength))) };
  };
}

/**
 * For models distilled into few steps (2310.04378): a run from a picture spreads all its steps over the lower part of
 * the schedule instead of leaving the first ones out.
 */
export function consistencySampling(config: Record<string, unknown>): Sampling {
  const usual = noiseSampling(config);
  return ({ strength = 1, ...run }) => {
    const given = { ...config, ...run.changes };
    if (given._class_name !== "LCMScheduler") return usual({ ...run, strength });
    return { sampler: createSampler(given, run.steps, { strength }), from: 0 };
  };
}

/** For rectified flows; `levels` says what the family passes to the schedule besides its config. */
export function flowSampling(
  config: Record<string, unknown>,
  levels: (run: SamplingRun) => SamplerRun = () => ({}),
): Sampling {
  return (run) => {
    const { steps, strength = 1, changes } = run;
    const sampler = createSampler(changes ? changedFlow(config, changes) : config, steps, levels(run));
    return { sampler, from: within(sampler, Math.trunc(Math.max(steps - steps * strength, 0))) };
  };
}

/** The two ways along a flow, under the names that samplers of noise have; how far it is shifted stays the repository's. */
function changedFlow(config: Record<string, unknown>, changes: Record<string, unknown>): Record<string, unknown> {
  const { _class_name: name, ...others } = changes;
  if (Object.keys(others).length > 0) throw notForFlows();
  const shift = config.flow_shift ?? config.shift ?? 1;
  if (name === "EulerDiscreteScheduler") return { ...config, _class_name: "FlowMatchEulerDiscreteScheduler", shift };
  if (name !== "UniPCMultistepScheduler") throw notForFlows();
  const flow = { use_flow_sigmas: true, prediction_type: "flow_prediction", flow_shift: shift };
  return { ...config, _class_name: name, ...flow };
}

/** At least one step is taken, however small the strength. */
const within = ({ timesteps }: Sampler, from: number) => Math.min(from, timesteps.length - 1);

function notForFlows(): ForecourtError {
  const msg =
    "This model is a rectified flow: it takes the schedulers Euler and UniPC, and no other settings of sampling";
  return new ForecourtError("invalid_input", msg, {
    problems: [{ loc: ["body", "scheduler"], msg, type: "value_error" }],
  });
}
