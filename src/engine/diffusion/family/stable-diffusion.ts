// Stable Diffusion 1 and 2 and their distilled forms (Turbo, latent consistency): one CLIP text encoder and a UNet.
import { loadClipTokenizer } from "../../text/tokenizer.ts";
import type { LoadFamily } from "../family.ts";
import { rowOf } from "../joined-embeddings.ts";
import { createPromptEncoder } from "../prompt-encoder.ts";
import { loadUnet } from "../unet.ts";

export const loadStableDiffusion: LoadFamily = async (repository) => {
  const { scaleRows, mostReadings, ...unet } = await loadUnet(
    repository,
    asDiffusersLoads(await repository.scheduler()),
  );
  const encoder = createPromptEncoder({
    tokenizer: await loadClipTokenizer(repository.assets, "tokenizer"),
    graph: await repository.graph("text_encoder"),
    openStates: () => repository.graph("text_encoder", { states: true }),
    mostReadings,
  });
  return {
    ...unet,
    async encode({ text, isNegative, clipSkip, ...reading }) {
      const skip = isNegative || clipSkip === 0 ? {} : { layer: clipSkip + 1, isNormed: true };
      const states = await encoder.encode(text, { ...reading, ...skip });
      const { readings, dropped } = states;
      return { rows: { encoder_hidden_states: rowOf(states) }, readings, dropped };
    },
    shared: ({ scale }) => scaleRows(scale),
  };
};

/** diffusers' StableDiffusionPipeline overrides these two settings, which old repositories carry wrongly. */
function asDiffusersLoads(config: Record<string, unknown>): Record<string, unknown> {
  return { ...config, steps_offset: 1, clip_sample: false };
}
