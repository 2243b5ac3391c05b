// Which of the training timesteps a run of few steps visits (table 2 of 2305.08891).
import { ForecourtError } from "../../core/errors.ts";
import type { SamplerConfig } from "./config.ts";
import { linspace } from "./noise-schedule.ts";

type Spacing = Pick<SamplerConfig, "num_train_timesteps" | "timestep_spacing" | "steps_offset">;

/** Highest first; "linspace" gives fractions, for which see `roundHalfEven`. */
export function spacedTimesteps(config: Spacing, steps: number): number[] {
  const { num_train_timesteps: total, timestep_spacing: spacing, steps_offset: offset } = config;
  if (steps > total) {
    throw new ForecourtError("invalid_input", `this model has ${total} timesteps, too few for ${steps} steps`, {
      problems: [
        {
          loc: ["body", "num_inference_steps"],
          msg: `Input should be less than or equal to ${total}`,
          type: "less_than_equal",
          ctx: { le: total },
          input: steps,
        },
      ],
    });
  }
  switch (spacing) {
    case "linspace":
      return linspace(0, total - 1, steps).reverse();
    case "leading": {
      const stride = Math.floor(total / steps);
      return Array.from({ length: steps }, (_, i) => i * stride + offset).reverse();
    }
    case "trailing":
      return Array.from({ length: steps }, (_, i) => roundHalfEven(total - i * (total / steps)) - 1);
  }
}

/** As numpy rounds: 0.5 -> 0, 1.5 -> 2. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
