// The UNets that are measured, of random weights, and what both sides draw with: made once for each shape.
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createRandom } from "../../../src/engine/tensor/random.ts";

/** What models.py reads: diffusers' config of the UNet, and the bits of the weights of linear layers. */
type Shape = { config: Record<string, unknown>; bits: 8 | 32 };

const CROSS = "CrossAttnDownBlock2D";
const CROSS_UP = "CrossAttnUpBlock2D";
const WITH_SIZES = { use_linear_projection: true, addition_embed_type: "text_time" };

export const SHAPES = {
  /** unet/config.json of Stable Diffusion 1.5. */
  "sd-1.5": {
    bits: 32,
    config: {
      ...{ sample_size: 64, block_out_channels: [320, 640, 1280, 1280], layers_per_block: 2 },
      ...{ attention_head_dim: 8, cross_attention_dim: 768 },
      down_block_types: [CROSS, CROSS, CROSS, "DownBlock2D"],
      up_block_types: ["UpBlock2D", CROSS_UP, CROSS_UP, CROSS_UP],
    },
  },
  /** unet/config.json of Stable Diffusion XL: 10.3 GB at 32 bits, 3.9 with its linear layers at 8. */
  sdxl: {
    bits: 8,
    config: {
      ...{ sample_size: 128, block_out_channels: [320, 640, 1280], layers_per_block: 2 },
      ...{ transformer_layers_per_block: [1, 2, 10], attention_head_dim: [5, 10, 20], cross_attention_dim: 2048 },
      down_block_types: ["DownBlock2D", CROSS, CROSS],
      up_block_types: [CROSS_UP, CROSS_UP, "UpBlock2D"],
      ...{ ...WITH_SIZES, addition_time_embed_dim: 256, projection_class_embeddings_input_dim: 2816 },
    },
  },
  tiny: {
    bits: 8,
    config: {
      ...{ sample_size: 8, block_out_channels: [32, 64], layers_per_block: 1, norm_num_groups: 8 },
      ...{ attention_head_dim: 8, cross_attention_dim: 64 },
      down_block_types: ["DownBlock2D", CROSS],
      up_block_types: [CROSS_UP, "UpBlock2D"],
      ...{ ...WITH_SIZES, addition_time_embed_dim: 32, projection_class_embeddings_input_dim: 256 },
    },
  },
} as const satisfies Record<string, Shape>;
export type ShapeName = keyof typeof SHAPES;

export const SCALE = 7.5;

/** Stable Diffusion's schedule with SDXL's sampler, which both sizes can be drawn with. */
export const SCHEDULER = {
  _class_name: "EulerDiscreteScheduler",
  ...{ num_train_timesteps: 1000, beta_start: 0.00085, beta_end: 0.012, beta_schedule: "scaled_linear" },
  ...{ timestep_spacing: "leading", steps_offset: 1 },
};

const CACHE = resolve(import.meta.dir, "../../../.cache/bench-image");

/** The packages of test/reference/requirements.txt; they are too large to be fetched on the way. */
export const hasDiffusers = (python: string): boolean =>
  Bun.which(python) !== null &&
  Bun.spawnSync([python, "-c", "import torch, onnx, onnxruntime; from diffusers import OnnxStableDiffusionPipeline"], {
    stdout: "ignore",
    stderr: "ignore",
  }).success;

/** Some minutes and 4 GB for those of real sizes. The folder, with model.onnx. */
export function madeModel(name: ShapeName, python: string): string {
  const folder = join(CACHE, name);
  const complete = join(folder, "complete");
  if (existsSync(complete)) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const command = [python, "-W", "ignore", join(import.meta.dir, "models.py"), folder, JSON.stringify(SHAPES[name])];
  if (!Bun.spawnSync(command, { stdout: "ignore", stderr: "inherit" }).success) throw new Error("models.py failed");
  writeFileSync(complete, "");
  return folder;
}

export type Given = Record<string, { shape: number[]; data: Float32Array }>;

/** Random latents and prompts of two rows, the negative one first; written beside the graph for Python too. */
export function givenFor(folder: string, name: ShapeName, side: number): Given {
  const { config } = SHAPES[name];
  const random = createRandom(1);
  const normal = (...shape: number[]) => ({ shape, data: random.normal(shape.reduce((a, b) => a * b, 1)) });
  const sizes = [8 * side, 8 * side, 0, 0, 8 * side, 8 * side];
  const pooled =
    "addition_time_embed_dim" in config
      ? config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
      : undefined;
  const given: Given = {
    noise: normal(1, 4, side, side),
    encoder_hidden_states: normal(2, 77, config.cross_attention_dim),
    ...(pooled !== undefined && {
      text_embeds: normal(2, pooled),
      time_ids: { shape: [2, 6], data: Float32Array.from([...sizes, ...sizes]) },
    }),
  };
  for (const [each, { data }] of Object.entries(given)) writeFileSync(join(folder, `${each}.bin`), data);
  const shapes = Object.fromEntries(Object.entries(given).map(([each, { shape }]) => [each, shape]));
  writeFileSync(join(folder, "inputs.json"), JSON.stringify({ ...shapes, scale: SCALE }));
  return given;
}
