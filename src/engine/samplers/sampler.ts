// The contract of a sampler: how a diffusion model's outputs become, step by step, a clean sample.

/**
 * One run of a noise schedule over samples of any shape, flattened. May keep what earlier steps gave: make one per run
 * and call `step` with index 0, 1, 2... Arrays that are handed in are never written to.
 */
export type Sampler = {
  /** What to tell the model at each call, first to last; their count is the number of model calls. */
  timesteps: readonly number[];
  /** The first sample is standard normal noise times this. */
  initNoiseSigma: number;
  /** What the model must be shown instead of the sample; the sample itself where nothing changes. */
  scaleInput(sample: Float32Array, index: number): Float32Array;
  /** The next sample, in new memory. */
  step(given: SamplerStep): Float32Array;
};

export type SamplerStep = {
  modelOutput: Float32Array;
  sample: Float32Array;
  /** Place in `timesteps`. */
  index: number;
  /** Draws fresh standard normal noise of the sample's size; stochastic samplers call it, others do not. */
  noise(): Float32Array;
};
