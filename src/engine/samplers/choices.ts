// The names under which fal's callers choose a sampler (fal-protocol.md 12, fal-ai/lora), as settings of its config.

/** Settings that replace those of a repository's scheduler_config.json. */
export const samplerChoices = {
  "DPM++ 2M": { _class_name: "DPMSolverMultistepScheduler", algorithm_type: "dpmsolver++", use_karras_sigmas: false },
  "DPM++ 2M Karras": {
    _class_name: "DPMSolverMultistepScheduler",
    algorithm_type: "dpmsolver++",
    use_karras_sigmas: true,
  },
  "DPM++ 2M SDE": {
    _class_name: "DPMSolverMultistepScheduler",
    algorithm_type: "sde-dpmsolver++",
    use_karras_sigmas: false,
  },
  "DPM++ 2M SDE Karras": {
    _class_name: "DPMSolverMultistepScheduler",
    algorithm_type: "sde-dpmsolver++",
    use_karras_sigmas: true,
  },
  Euler: { _class_name: "EulerDiscreteScheduler" },
  "Euler A": { _class_name: "EulerAncestralDiscreteScheduler" },
  "Euler (trailing timesteps)": { _class_name: "EulerDiscreteScheduler", timestep_spacing: "trailing" },
  LCM: { _class_name: "LCMScheduler" },
  DDIM: { _class_name: "DDIMScheduler" },
  PNDM: { _class_name: "PNDMScheduler", skip_prk_steps: true },
} as const satisfies Record<string, Record<string, unknown>>;

export type SamplerChoice = keyof typeof samplerChoices;

export const samplerChoiceNames = Object.keys(samplerChoices) as [SamplerChoice, ...SamplerChoice[]];
