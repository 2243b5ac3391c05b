// Noise levels σ of a run, for the samplers that count in σ instead of timesteps.
import type { SamplerConfig } from "./config.ts";
import { linspace } from "./noise-schedule.ts";

/** σ at a fractional timestep, by linear interpolation in the table of all timesteps. */
export function sigmaAt(table: Float64Array, timestep: number): number {
  const below = Math.min(Math.max(Math.floor(timestep), 0), table.length - 1);
  const above = Math.min(below + 1, table.length - 1);
  const low = table[below] ?? 0;
  return low + (timestep - below) * ((table[above] ?? low) - low);
}

/** The fractional timestep whose σ this is, by linear interpolation of log σ. */
export function timestepOf(table: Float64Array, sigma: number): number {
  const log = Math.log(Math.max(sigma, 1e-10));
  const above = table.findLastIndex((each) => Math.log(each) <= log);
  const below = Math.min(Math.max(above, 0), table.length - 2);
  const low = Math.log(table[below] ?? 1);
  const high = Math.log(table[below + 1] ?? 1);
  const part = Math.min(1, Math.max(0, (low - log) / (low - high)));
  return below + part;
}

/** Karras et al., 2206.00364, equation 5 with ρ = 7; highest first. */
export function karrasSigmas({ min, max, steps }: { min: number; max: number; steps: number }): number[] {
  const rho = 7;
  return linspace(max ** (1 / rho), min ** (1 / rho), steps).map((root) => root ** rho);
}

/** The level at which a run ends. */
export const finalSigma = (config: SamplerConfig, table: Float64Array) =>
  config.final_sigmas_type === "zero" ? 0 : (table[0] ?? 0);
