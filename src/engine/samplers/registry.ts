// Every sampler by the class name that a scheduler_config.json carries in `_class_name`.
import { ForecourtError } from "../../core/errors.ts";
import { readSamplerConfig, type SamplerConfig } from "./config.ts";
import { createDdim, ddimDefaults } from "./ddim.ts";
import { createDpmSolver, dpmSolverDefaults } from "./dpm-solver.ts";
import { createEuler, createEulerAncestral, eulerDefaults, eulerReads } from "./euler.ts";
import { createFlowMatch } from "./flow-match.ts";
import { createLcm, lcmDefaults } from "./lcm.ts";
import { createPndm, pndmDefaults } from "./pndm.ts";
import type { Sampler, SamplerRun } from "./sampler.ts";
import { createTcd, tcdDefaults } from "./tcd.ts";
import { createUniPc } from "./unipc.ts";

type CreateSampler = (config: Record<string, unknown>, steps: number, run: SamplerRun) => Sampler;

type WithConfig = (config: SamplerConfig, steps: number, run: SamplerRun) => Sampler;

/** `defaults` are where the class's differ from those in config.ts. */
const reading =
  (create: WithConfig, defaults: Partial<SamplerConfig>, reads: readonly string[] = []): CreateSampler =>
  (config, steps, run) =>
    create(readSamplerConfig(config, defaults, reads), steps, run);

export const samplers = {
  DDIMScheduler: reading(createDdim, ddimDefaults),
  DPMSolverMultistepScheduler: reading(createDpmSolver, dpmSolverDefaults),
  EulerAncestralDiscreteScheduler: reading(createEulerAncestral, eulerDefaults),
  EulerDiscreteScheduler: reading(createEuler, eulerDefaults, eulerReads),
  FlowMatchEulerDiscreteScheduler: createFlowMatch,
  LCMScheduler: reading(createLcm, lcmDefaults),
  PNDMScheduler: reading(createPndm, pndmDefaults),
  TCDScheduler: reading(createTcd, tcdDefaults),
  UniPCMultistepScheduler: createUniPc,
} as const satisfies Record<string, CreateSampler>;

export type SamplerName = keyof typeof samplers;

const isSamplerName = (name: unknown): name is SamplerName => typeof name === "string" && name in samplers;

/**
 * A sampler for one run of `steps` steps. Throws `misconfigured` for a class or setting that is not supported and
 * `invalid_input` for more steps than the schedule has.
 */
export function createSampler(config: Record<string, unknown>, steps: number, run: SamplerRun = {}): Sampler {
  const name = config._class_name;
  if (!isSamplerName(name)) {
    const known = Object.keys(samplers).join(", ");
    throw new ForecourtError("misconfigured", `scheduler_config.json: no sampler ${name}; there are ${known}`);
  }
  return samplers[name](config, steps, run);
}
