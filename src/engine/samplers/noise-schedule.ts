// How much signal is left at each training timestep: from a config's betas to cumulative products of 1 - beta.
import type { SamplerConfig } from "./config.ts";

/** ᾱ[t], the share of the signal's variance left at timestep t; falls from about 1 to about 0. */
export type SignalShares = Float64Array;

/** Betas and products are rounded to float32 where diffusers rounds them, so that long schedules agree closely. */
export function signalShares(config: SamplerConfig): SignalShares {
  const betas = config.rescale_betas_zero_snr ? zeroTerminalSnr(betasOf(config)) : betasOf(config);
  return cumulativeProduct(betas);
}

function betasOf(config: SamplerConfig): number[] {
  const { beta_start, beta_end, num_train_timesteps: count } = config;
  if (config.trained_betas) return config.trained_betas.map(Math.fround);
  switch (config.beta_schedule) {
    case "linear":
      return linspace(beta_start, beta_end, count).map(Math.fround);
    case "scaled_linear":
      return linspace(Math.sqrt(beta_start), Math.sqrt(beta_end), count).map((root) =>
        Math.fround(Math.fround(root) ** 2),
      );
    case "squaredcos_cap_v2":
      return Array.from({ length: count }, (_, i) =>
        Math.fround(Math.min(1 - cosineShare((i + 1) / count) / cosineShare(i / count), 0.999)),
      );
  }
}

/** Nichol and Dhariwal, "Improved Denoising Diffusion Probabilistic Models", equation 17. */
const cosineShare = (time: number) => Math.cos(((time + 0.008) / 1.008) * (Math.PI / 2)) ** 2;

function cumulativeProduct(betas: readonly number[]): SignalShares {
  let product = 1;
  return Float64Array.from(betas, (beta) => {
    product *= Math.fround(1 - beta);
    return Math.fround(product);
  });
}

/** Lin et al., "Common Diffusion Noise Schedules and Sample Steps are Flawed" (2305.08891), algorithm 1. */
function zeroTerminalSnr(betas: readonly number[]): number[] {
  const roots = Array.from(cumulativeProduct(betas), Math.sqrt);
  const first = roots[0] ?? 1;
  const last = roots.at(-1) ?? 0;
  const shares = roots.map((root) => Math.fround((((root - last) * first) / (first - last)) ** 2));
  return shares.map((share, i) => Math.fround(1 - (i === 0 ? share : share / (shares[i - 1] ?? 1))));
}

/** `count` values from `start` to `end`, both included; of one value, `start`. */
export function linspace(start: number, end: number, count: number): number[] {
  const step = count > 1 ? (end - start) / (count - 1) : 0;
  return Array.from({ length: count }, (_, i) => start + i * step);
}

/** σ[t] = noise per signal, √((1 - ᾱ) / ᾱ); rises with t. */
export function noiseLevels(shares: SignalShares): Float64Array {
  return shares.map((share) => Math.sqrt((1 - share) / share));
}

/** The smallest half-precision number stands for ᾱ = 0, whose σ would be infinite. */
const ALMOST_NO_SIGNAL = 2 ** -24;

/** Shares for samplers that work with σ: with `rescale_betas_zero_snr` the last one is kept above zero. */
export function positiveShares(config: SamplerConfig): SignalShares {
  const shares = signalShares(config);
  if (config.rescale_betas_zero_snr) shares[shares.length - 1] = ALMOST_NO_SIGNAL;
  return shares;
}
