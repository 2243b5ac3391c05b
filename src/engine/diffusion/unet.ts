// What the families with a UNet share: its sizes, and the guidance scale that distilled ones read.

import type { Rows } from "./condition.ts";
import type { Family } from "./family.ts";
import { guidanceEmbedding } from "./guidance-embedding.ts";
import { createNoisePredictor } from "./noise-predictor.ts";
import type { Repository } from "./repository.ts";
import { consistencySampling, noiseSampling } from "./sampling.ts";

type UnetConfig = {
  sample_size?: number | [height: number, width: number];
  block_out_channels?: number[];
  time_cond_proj_dim?: number | null;
};

/** Stable Diffusion 1's, for repositories whose UNet has no config.json. */
const UNET = { sample_size: 64, block_out_channels: [320, 640, 1280, 1280] } satisfies UnetConfig;

/** Of the models that read their guidance scale, where the config does not say. */
const GUIDANCE_WIDTH = 256;

/** 750 tokens of CLIP; the UNet looks at each of them in each of its attention layers. */
const MOST_READINGS = 10;

type Unet = Pick<Family, "predictor" | "sides" | "guidance" | "sampling"> & {
  /** How many readings of a prompt it takes: one where its export fixes the tokens. */
  mostReadings: number;
  /** The scale for a model that reads it; nothing for the others. */
  scaleRows(scale: number): Rows;
};

/** `scheduler` is the content of scheduler_config.json. */
export async function loadUnet(repository: Repository, scheduler: Record<string, unknown>): Promise<Unet> {
  const graph = await repository.graph("unet");
  const predictor = createNoisePredictor({ graph });
  const config: UnetConfig = { ...UNET, ...(await repository.optional<UnetConfig>("unet/config.json")) };
  const readsScale = predictor.inputs.includes("timestep_cond");
  const width = config.time_cond_proj_dim ?? GUIDANCE_WIDTH;
  return {
    predictor,
    sides: sidesOf(config),
    guidance: readsScale ? "number" : "two-prompts",
    sampling: readsScale ? consistencySampling(scheduler) : noiseSampling(scheduler),
    mostReadings:
      typeof graph.inputs.find(({ name }) => name === "encoder_hidden_states")?.shape[1] === "number"
        ? 1
        : MOST_READINGS,
    scaleRows: (scale): Rows => (readsScale ? { timestep_cond: guidanceEmbedding(scale, width) } : {}),
  };
}

/** The UNet halves its latents once between any two of its levels, so they must be even that often. */
function sidesOf({ sample_size: sample = UNET.sample_size, block_out_channels: levels }: UnetConfig) {
  const [height, width] = typeof sample === "number" ? [sample, sample] : sample;
  return { native: { width, height }, multiple: 2 ** ((levels ?? UNET.block_out_channels).length - 1) };
}
