// The scheduler_config.json of flow-match models (rectified flow, 2209.03003): read, checked, completed.
import { ForecourtError, toFailure } from "../../core/errors.ts";
import { choice, parse, type Static, Type } from "../../core/schema.ts";

const schema = Type.Object({
  num_train_timesteps: Type.Integer({ default: 1000, minimum: 1, maximum: 100_000 }),
  shift: Type.Number({ default: 1, exclusiveMinimum: 0 }),
  flow_shift: Type.Number({ default: 1, exclusiveMinimum: 0 }),
  use_dynamic_shifting: Type.Boolean({ default: false }),
  time_shift_type: choice(["exponential"], { default: "exponential" }),
  base_shift: Type.Number({ default: 0.5 }),
  max_shift: Type.Number({ default: 1.15 }),
  base_image_seq_len: Type.Integer({ default: 256 }),
  max_image_seq_len: Type.Integer({ default: 4096 }),
  final_sigmas_type: choice(["zero"], { default: "zero" }),
  prediction_type: choice(["flow_prediction"], { default: "flow_prediction" }),
  solver_order: Type.Integer({ default: 2, minimum: 1, maximum: 3 }),
  solver_type: choice(["bh1", "bh2"], { default: "bh2" }),
  lower_order_final: Type.Boolean({ default: true }),
});

/** Names and meanings are those of the classes of diffusers. */
export type FlowConfig = Static<typeof schema>;

/** Settings that no sampler here has, by the only values with which a config is accepted. Absent and null always are. */
const NEUTRAL: Record<string, readonly unknown[]> = {
  invert_sigmas: [false],
  shift_terminal: [],
  stochastic_sampling: [false],
  use_karras_sigmas: [false],
  use_exponential_sigmas: [false],
  use_beta_sigmas: [false],
  thresholding: [false],
  predict_x0: [true],
  solver_p: [],
};

/** Throws `misconfigured` for a config that cannot be honoured. */
export function readFlowConfig(config: Record<string, unknown>): FlowConfig {
  for (const [name, neutral] of Object.entries(NEUTRAL)) {
    const value = config[name] ?? null;
    if (value === null || neutral.includes(value)) continue;
    throw new ForecourtError("misconfigured", `scheduler_config.json: ${name} = ${value} is not supported`);
  }
  try {
    return parse(schema, config, ["scheduler_config.json"]);
  } catch (cause) {
    throw new ForecourtError("misconfigured", `scheduler_config.json: ${toFailure(cause).message}`, { cause });
  }
}

/** σ = share of noise in the sample, moved towards 1: by a constant factor, or by e^μ where the config says dynamic. */
export function shifted(config: FlowConfig, sigma: number, { shift, mu }: { shift: number; mu?: number }): number {
  const factor = config.use_dynamic_shifting ? Math.exp(dynamicShift(mu)) : shift;
  return (factor * sigma) / (1 + (factor - 1) * sigma);
}

function dynamicShift(mu: number | undefined): number {
  if (mu !== undefined) return mu;
  throw new ForecourtError(
    "misconfigured",
    "scheduler_config.json: use_dynamic_shifting is for models with sizes only",
  );
}
