// FLUX.2 klein: layers of a Qwen3 language model read the prompt, a transformer draws; pictures to go by are further tokens.
import { invariant } from "../../../core/errors.ts";
import { empiricalShift } from "../../samplers/flow-shift.ts";
import { linspace } from "../../samplers/noise-schedule.ts";
import { loadChatReader } from "../chat-reader.ts";
import type { Row } from "../condition.ts";
import type { LoadFamily } from "../family.ts";
import { rowOf } from "../joined-embeddings.ts";
import { createNoisePredictor } from "../noise-predictor.ts";
import { cannotSkip, cannotWeigh } from "../prompt-encoder.ts";
import { flowSampling } from "../sampling.ts";
import { type LatentPicture, pictureTokens, tokenPositions } from "../tokens.ts";

/** Of the distilled models, for repositories without scheduler_config.json (diffusers' FLUX.2-klein-4B). */
const SCHEDULER = { _class_name: "FlowMatchEulerDiscreteScheduler", use_dynamic_shifting: true, shift: 3 };

/** Tokens of a prompt that it was trained on (diffusers' Flux2KleinPipeline). */
const LENGTH = 512;

/** Latents along each side of a picture of 1024 x 1024; each stands for 16 x 16 pixels. */
const SIDE = 64;

/** Exports fold the patches and the scaling of the autoencoder into its graphs. */
const AUTOENCODER = { block_out_channels: [128, 256, 512, 512], patch_size: [2, 2], scaling_factor: 1 };

/** Places of reference pictures along the first axis: 10, 20, 30... (diffusers' `_prepare_image_ids`). */
const REFERENCE = 10;

export const loadFlux2: LoadFamily = async (repository) => {
  const graph = await repository.graph("transformer");
  const predictor = createNoisePredictor({ graph, layout: pictureTokens, timestepScale: 1 / 1000 });
  const read = await loadChatReader(repository, LENGTH);
  const scheduler = {
    ...SCHEDULER,
    ...(await repository.optional<Record<string, unknown>>("scheduler/scheduler_config.json")),
  };
  const { is_distilled: isDistilled = true } = await repository.optional<{ is_distilled: boolean }>("model_index.json");
  return {
    predictor,
    autoencoder: AUTOENCODER,
    sides: { native: { width: SIDE, height: SIDE }, multiple: 1 },
    guidance: isDistilled ? "none" : "two-prompts",
    seesReferences: true,
    sampling: flowSampling(scheduler, ({ steps, latents: { width, height } }) => ({
      sigmas: linspace(1, 1 / steps, steps),
      mu: empiricalShift({ tokens: width * height, steps }),
    })),
    async encode({ text, clipSkip, isWeighted }) {
      if (clipSkip > 0) throw cannotSkip();
      if (isWeighted) throw cannotWeigh();
      const states = await read(text);
      return { rows: { encoder_hidden_states: rowOf(states) }, readings: 1, dropped: states.dropped };
    },
    shared: ({ latents, references }) => ({
      img_ids: positionsOf([latents, ...references]),
      txt_ids: wordPositions(LENGTH),
    }),
  };
};

/** (which picture, row, column, 0) of each token. */
function positionsOf(pictures: readonly Pick<LatentPicture, "width" | "height">[]): Row {
  const all = pictures.flatMap((picture, at) =>
    tokenPositions(picture, (row, column) => [at * REFERENCE, row, column, 0]),
  );
  invariant(all.length > 0, "there is a picture to draw");
  return { data: Float32Array.from(all.flat()), shape: [all.length, 4] };
}

const wordPositions = (length: number): Row => ({
  data: Float32Array.from(Array.from({ length }, (_, at) => [0, 0, 0, at]).flat()),
  shape: [length, 4],
});
