// Every sampler by the class name that a scheduler_config.json carries in `_class_name`.
import { ForecourtError } from "../../core/errors.ts";
import { readSamplerConfig, type SamplerConfig } from "./config.ts";
import { createDdim, ddimDefaults } from "./ddim.ts";
import { createDpmSolver, dpmSolverDefaults } from "./dpm-solver.ts";
import { createEuler, createEulerAncestral, eulerDefaults } from "./euler.ts";
import { createLcm, lcmDefaults } from "./lcm.ts";
import { createPndm, pndmDefaults } from "./pndm.ts";
import type { Sampler } from "./sampler.ts";

type SamplerClass = {
  create(config: SamplerConfig, steps: number): Sampler;
  /** Where the class's defaults differ from those in config.ts. */
  defaults: Partial<SamplerConfig>;
};

export const samplers = {
  DDIMScheduler: { create: createDdim, defaults: ddimDefaults },
  DPMSolverMultistepScheduler: { create: createDpmSolver, defaults: dpmSolverDefaults },
  EulerAncestralDiscreteScheduler: { create: createEulerAncestral, defaults: eulerDefaults },
  EulerDiscreteScheduler: { create: createEuler, defaults: eulerDefaults },
  LCMScheduler: { create: createLcm, defaults: lcmDefaults },
  PNDMScheduler: { create: createPndm, defaults: pndmDefaults },
} as const satisfies Record<string, SamplerClass>;

export type SamplerName = keyof typeof samplers;

const isSamplerName = (name: unknown): name is SamplerName => typeof name === "string" && name in samplers;

/**
 * A sampler for one run of `steps` steps. Throws `misconfigured` for a class or setting that is not supported and
 * `invalid_input` for more steps than the schedule has.
 */
export function createSampler(config: Record<string, unknown>, steps: number): Sampler {
  const name = config._class_name;
  if (!isSamplerName(name)) {
    const known = Object.keys(samplers).join(", ");
    throw new ForecourtError("misconfigured", `scheduler_config.json: no sampler ${name}; there are ${known}`);
  }
  const { create, defaults } = samplers[name];
  return create(readSamplerConfig(config, defaults), steps);
}
