// The decoder half of a variational autoencoder: latents to pictures.
import { invariant } from "../../core/errors.ts";
import type { Graph, Pixels } from "../../core/pipeline.ts";
import { planesToPixels } from "../tensor/pixels.ts";
import { requirePort, tensorOf, toFloats } from "../tensor/tensor.ts";
import type { LatentShape } from "./noise-predictor.ts";
import { decodeTiled, type Planes } from "./tiled-decoding.ts";

/** What the autoencoder's config.json says; the names are diffusers'. */
export type VaeConfig = {
  scaling_factor?: number;
  shift_factor?: number | null;
  block_out_channels?: number[];
  latent_channels?: number;
  /** Pixels along each side of what it was trained on; of tiles too. */
  sample_size?: number;
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

/** Pixels of a picture that is decoded whole: twice what the largest models draw by themselves. */
const WHOLE_PIXELS = 2 ** 21;

/** diffusers' default of `sample_size`, times its usual 8. */
const TILE_PIXELS = 512;

type Decoding = {
  graph: Graph;
  config: VaeConfig;
  /** Larger pictures are decoded in tiles, see tiled-decoding.ts. */
  wholePixels?: number;
};

export function createLatentDecoder({ graph, config, wholePixels = WHOLE_PIXELS }: Decoding): LatentDecoder {
  const input = requirePort(graph.inputs, { names: ["latent_sample", "latents"], of: "VAE decoder" });
  const output = requirePort(graph.outputs, { names: ["sample", "image"], of: "VAE decoder" });
  const { block_out_channels: blocks, patch_size: [patch = 1] = [] } = config;
  const { scale, shift } = latentScale(config);
  const channels = input.shape[1];

  const upscale = (blocks ? 2 ** (blocks.length - 1) : UPSCALE) * patch;
  const side = Math.max(1, Math.trunc((config.sample_size ?? TILE_PIXELS) / upscale));

  async function decode({ data, channels: depth, height, width }: Planes): Promise<Planes> {
    const results = await graph.run({ [input.name]: tensorOf(input.dtype, [1, depth, height, width], data) });
    const picture = results[output.name];
    invariant(picture, "a graph gives each of its outputs");
    const [, colours = 3, rows = 0, columns = 0] = picture.shape;
    return { data: toFloats(picture), channels: colours, height: rows, width: columns };
  }

  return {
    channels: typeof channels === "number" ? channels : (config.latent_channels ?? CHANNELS) * patch ** 2,
    upscale,
    async *decode(latents, [rows, depth, height, width]) {
      const size = latents.length / rows;
      const isLarge = height * width * upscale ** 2 > wholePixels && Math.max(height, width) > side;
      for (let row = 0; row < rows; row++) {
        const data = latents.subarray(row * size, (row + 1) * size).map((value) => value / scale + shift);
        const one = { data, channels: depth, height, width };
        const picture = isLarge ? await decodeTiled(one, { side, upscale, decode }) : await decode(one);
        yield planesToPixels(picture.data, picture);
      }
    },
  };
}
