// The contract of a sampler: how a diffusion model's outputs become, step by step, a clean sample.

/**
 * One run of a noise schedule over samples of any shape, flattened. May keep what earlier steps gave: make one per run
 * and call `step` with index 0, 1, 2... (or, beginning at `noisy`'s index, with the ones from there on). Arrays that
 * are handed in are never written to.
 */
export type Sampler = {
  /** What to tell the model at each call, first to last; their count is the number of model calls. */
  timesteps: readonly number[];
  /** The first sample is standard normal noise times this. */
  initNoiseSigma: number;
  /** What the model must be shown instead of the sample; the sample itself where nothing changes. */
  scaleInput(sample: Float32Array, index: number): Float32Array;
  /** The sample at `timesteps[index]` of a run that is to end at `clean`, given the run's standard normal noise. */
  noisy(given: { clean: Float32Array; noise: Float32Array; index: number }): Float32Array;
  /** The next sample, in new memory. */
  step(given: SamplerStep): Float32Array;
};

/** What some schedules depend on besides their config; the others ignore it. */
export type SamplerRun = {
  /** Dynamic shift of a flow-match schedule, see flow-shift.ts. */
  mu?: number;
  /** Unshifted levels of a flow-match run, highest first; absent = the class's own. */
  sigmas?: readonly number[];
  /** Share of a latent consistency schedule that is run through, from 0 to 1. */
  strength?: number;
};

export type SamplerStep = {
  modelOutput: Float32Array;
  sample: Float32Array;
  /** Place in `timesteps`. */
  index: number;
  /** Draws fresh standard normal noise of the sample's size; stochastic samplers call it, others do not. */
  noise(): Float32Array;
};
