// The content of a repository's scheduler_config.json: read, checked and completed with the class's defaults.
import { ForecourtError, toFailure } from "../../core/errors.ts";
import { choice, parse, type Static, Type } from "../../core/schema.ts";

const schema = Type.Object({
  num_train_timesteps: Type.Integer({ default: 1000, minimum: 1, maximum: 100_000 }),
  beta_start: Type.Number({ default: 0.0001 }),
  beta_end: Type.Number({ default: 0.02 }),
  beta_schedule: choice(["linear", "scaled_linear", "squaredcos_cap_v2"], { default: "linear" }),
  trained_betas: Type.Optional(Type.Array(Type.Number())),
  rescale_betas_zero_snr: Type.Boolean({ default: false }),
  prediction_type: choice(["epsilon", "v_prediction", "sample"], { default: "epsilon" }),
  timestep_spacing: choice(["linspace", "leading", "trailing"], { default: "leading" }),
  steps_offset: Type.Integer({ default: 0 }),
  set_alpha_to_one: Type.Boolean({ default: true }),
  clip_sample: Type.Boolean({ default: false }),
  clip_sample_range: Type.Number({ default: 1 }),
  skip_prk_steps: Type.Boolean({ default: false }),
  use_karras_sigmas: Type.Boolean({ default: false }),
  final_sigmas_type: choice(["zero", "sigma_min"], { default: "zero" }),
  algorithm_type: choice(["dpmsolver++", "sde-dpmsolver++"], { default: "dpmsolver++" }),
  solver_order: Type.Integer({ default: 2, minimum: 1, maximum: 3 }),
  /** One solver's names stand for the usual kind of another, as in diffusers. */
  solver_type: choice(["midpoint", "heun", "logrho", "bh1", "bh2"], { default: "midpoint" }),
  lower_order_final: Type.Boolean({ default: true }),
  euler_at_final: Type.Boolean({ default: false }),
  original_inference_steps: Type.Integer({ default: 50, minimum: 1 }),
  timestep_scaling: Type.Number({ default: 10 }),
  /** "continuous": the model is told the logarithm of the noise instead of a timestep. */
  timestep_type: choice(["discrete", "continuous"], { default: "discrete" }),
  /** Ends of Karras' levels, where they are not those of the schedule. */
  sigma_min: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
  sigma_max: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
  /** How much noise DDIM and TCD add; diffusers' pipelines hand it to each step. */
  eta: Type.Number({ default: 0, minimum: 0, maximum: 1 }),
});

/** Names and meanings are those of the classes of diffusers. */
export type SamplerConfig = Static<typeof schema>;

/** Settings that no sampler here has: the only values with which a config is accepted. Absent and null always are. */
const NEUTRAL: Record<string, unknown> = {
  thresholding: false,
  interpolation_type: "linear",
  use_exponential_sigmas: false,
  use_beta_sigmas: false,
  use_lu_lambdas: false,
  use_flow_sigmas: false,
  timestep_type: "discrete",
  sigma_min: null,
  sigma_max: null,
  variance_type: null,
  predict_x0: true,
  solver_p: null,
  use_dynamic_shifting: false,
};

/** Files say null where these are the schedule's own. */
const SIGMAS = ["sigma_min", "sigma_max"];

/**
 * `defaults` are the class's own where they differ, `reads` what it honours of NEUTRAL's. Throws `misconfigured` for a config that
 * cannot be honoured.
 */
export function readSamplerConfig(
  config: Record<string, unknown>,
  defaults: Partial<SamplerConfig>,
  reads: readonly string[] = [],
): SamplerConfig {
  for (const [name, neutral] of Object.entries(NEUTRAL)) {
    const value = config[name] ?? null;
    if (value !== null && value !== neutral && !reads.includes(name)) {
      throw new ForecourtError("misconfigured", `scheduler_config.json: ${name} = ${value} is not supported`);
    }
  }
  try {
    const given = Object.entries(config).filter(([name, value]) => value !== null || !SIGMAS.includes(name));
    return parse(schema, { ...defaults, ...Object.fromEntries(given) }, ["scheduler_config.json"]);
  } catch (cause) {
    throw new ForecourtError("misconfigured", `scheduler_config.json: ${toFailure(cause).message}`, { cause });
  }
}
