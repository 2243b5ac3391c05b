// The names under which fal's callers choose a sampler (fal-protocol.md 12, fal-ai/lora), as settings of its config.

const secondOrder = { _class_name: "DPMSolverMultistepScheduler", solver_order: 2 } as const;

/** Settings that replace those of a repository's scheduler_config.json. */
export const samplerChoices = {
  "DPM++ 2M": { ...secondOrder, algorithm_type: "dpmsolver++", use_karras_sigmas: false },
  "DPM++ 2M Karras": { ...secondOrder, algorithm_type: "dpmsolver++", use_karras_sigmas: true },
  "DPM++ 2M SDE": { ...secondOrder, algorithm_type: "sde-dpmsolver++", use_karras_sigmas: false },
  "DPM++ 2M SDE Karras": { ...secondOrder, algorithm_type: "sde-dpmsolver++", use_karras_sigmas: true },
  Euler: { _class_name: "EulerDiscreteScheduler" },
  "Euler A": { _class_name: "EulerAncestralDiscreteScheduler" },
  "Euler (trailing timesteps)": { _class_name: "EulerDiscreteScheduler", timestep_spacing: "trailing" },
  LCM: { _class_name: "LCMScheduler" },
  // Its class has one spacing of timesteps, whatever its config says.
  "LCM (trailing timesteps)": { _class_name: "LCMScheduler", timestep_spacing: "trailing" },
  DDIM: { _class_name: "DDIMScheduler" },
  TCD: { _class_name: "TCDScheduler" },
  PNDM: { _class_name: "PNDMScheduler", skip_prk_steps: true },
  UniPC: { _class_name: "UniPCMultistepScheduler" },
} as const satisfies Record<string, Record<string, unknown>>;

export type SamplerChoice = keyof typeof samplerChoices;

export const samplerChoiceNames = Object.keys(samplerChoices) as [SamplerChoice, ...SamplerChoice[]];
