// The encoder half of a variational autoencoder: a picture to latents.
import { ForecourtError, invariant } from "../../core/errors.ts";
import type { Graph } from "../../core/pipeline.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Random } from "../tensor/random.ts";
import { requirePort, tensorOf, toFloats } from "../tensor/tensor.ts";
import { latentScale, type VaeConfig } from "./latent-decoder.ts";

export type LatentEncoder = {
  /** Whether `encode` draws from its `random`. */
  drawsNoise: boolean;
  /**
   * Latents [channels, height, width] of RGB planes in [-1, 1] of `size`, scaled as the denoiser knows them. One sample
   * of what the encoder takes for likely: draws as many numbers as there are latents (none where the graph draws itself).
   * For planes in the same memory as before the graph is not run again.
   */
  encode(planes: Float32Array, given: { size: Size; random: Random }): Promise<Float32Array>;
  /** The likeliest latents instead of a sample. */
  mean(planes: Float32Array, size: Size): Promise<Float32Array>;
};

type Size = { width: number; height: number };

export function createLatentEncoder({ graph, config }: { graph: Graph; config: VaeConfig }): LatentEncoder {
  const input = requirePort(graph.inputs, { names: ["sample", "image"], of: "VAE encoder" });
  const { scale, shift } = latentScale(config);
  const encoded = new WeakMap<Float32Array, Record<string, Tensor>>();
  const run = async (planes: Float32Array, { width, height }: Size) => {
    const known = encoded.get(planes);
    const results = known ?? (await graph.run({ [input.name]: tensorOf(input.dtype, [1, 3, height, width], planes) }));
    encoded.set(planes, results);
    return results;
  };
  const scaled = (latents: Float32Array) => latents.map((value) => (value - shift) * scale);
  return {
    drawsNoise: graph.outputs.some(({ name }) => name === PARAMETERS),
    encode: async (planes, { size, random }) => scaled(sampled(await run(planes, size), random)),
    mean: async (planes, size) => scaled(sampled(await run(planes, size), NO_NOISE)),
  };
}

/** With it a sample is the mean. */
const NO_NOISE: Random = { normal: (count) => new Float32Array(count) };

const PARAMETERS = "latent_parameters";

/** optimum's export gives the distribution, the legacy one a sample of it with the graph's own noise, FLUX.2's the mean. */
function sampled(results: Record<string, Tensor>, random: Random): Float32Array {
  const { [PARAMETERS]: parameters, latent_sample, latents } = results;
  const sample = latent_sample ?? latents;
  if (parameters) return sampleOf(toFloats(parameters), random);
  if (sample) return toFloats(sample);
  const there = Object.keys(results).join(", ");
  throw new ForecourtError("runner_failed", `the graph of the VAE encoder lacks "${PARAMETERS}"; it has ${there}`);
}

/** diffusers' DiagonalGaussianDistribution: means, then the logarithms of variances, which it clamps to [-30, 20]. */
function sampleOf(parameters: Float32Array, random: Random): Float32Array {
  const size = parameters.length / 2;
  invariant(Number.isInteger(size), "as many means as variances");
  const noise = random.normal(size);
  return noise.map((value, i) => {
    const logVariance = Math.min(20, Math.max(-30, parameters[size + i] ?? 0));
    return (parameters[i] ?? 0) + Math.exp(0.5 * logVariance) * value;
  });
}
