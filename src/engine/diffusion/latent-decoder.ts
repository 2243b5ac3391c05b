// The decoder half of a variational autoencoder: latents to pictures.
import { invariant } from "../../core/errors.ts";
import type { Graph, Pixels } from "../../core/pipeline.ts";
import { planesToPixels } from "../tensor/pixels.ts";
import { requirePort, tensorOf, toFloats } from "../tensor/tensor.ts";
import type { LatentShape } from "./noise-predictor.ts";

/** What the autoencoder's config.json says; the names are diffusers'. */
export type VaeConfig = {
  scaling_factor?: number;
  shift_factor?: number | null;
  block_out_channels?: number[];
  latent_channels?: number;
  /** Latents that the graphs put together as one (FLUX.2), along its height and width. */
  patch_size?: number[];
};

/** Stable Diffusion 1's, for repositories whose decoder has no config.json. */
const SCALING_FACTOR = 0.18215;
const CHANNELS = 4;
const UPSCALE = 8;

/** Latents as the denoiser knows them are (the autoencoder's - shift) · scale. */
export const latentScale = ({ scaling_factor, shift_factor }: VaeConfig) => ({
  scale: scaling_factor ?? SCALING_FACTOR,
  shift: shift_factor ?? 0,
});

export type LatentDecoder = {
  /** Channels of the latents. */
  channels: number;
  /** Pixels along each side of one latent. */
  upscale: number;
  /** One picture for each row; decoded one by one, so that memory does not grow with their number. */
  decode(latents: Float32Array, shape: LatentShape): AsyncGenerator<Pixels>;
};

export function createLatentDecoder({ graph, config }: { graph: Graph; config: VaeConfig }): LatentDecoder {
  const input = requirePort(graph.inputs, { names: ["latent_sample", "latents"], of: "VAE decoder" });
  const output = requirePort(graph.outputs, { names: ["sample", "image"], of: "VAE decoder" });
  const { block_out_channels: blocks, patch_size: [patch = 1] = [] } = config;
  const { scale, shift } = latentScale(config);
  const channels = input.shape[1];

  return {
    channels: typeof channels === "number" ? channels : (config.latent_channels ?? CHANNELS) * patch ** 2,
    upscale: (blocks ? 2 ** (blocks.length - 1) : UPSCALE) * patch,
    async *decode(latents, [rows, ...shape]) {
      const size = latents.length / rows;
      for (let row = 0; row < rows; row++) {
        const one = latents.subarray(row * size, (row + 1) * size).map((value) => value / scale + shift);
        const results = await graph.run({ [input.name]: tensorOf(input.dtype, [1, ...shape], one) });
        const picture = results[output.name];
        invariant(picture, "a graph gives each of its outputs");
        const [, , height = 0, width = 0] = picture.shape;
        yield planesToPixels(toFloats(picture), { width, height });
      }
    },
  };
}
