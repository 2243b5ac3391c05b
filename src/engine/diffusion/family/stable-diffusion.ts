// Stable Diffusion 1 and 2 and their distilled forms (Turbo, latent consistency): one CLIP text encoder and a UNet.
import { loadClipTokenizer } from "../../text/tokenizer.ts";
import type { LoadFamily } from "../family.ts";
import { rowOf } from "../joined-embeddings.ts";
import { cannotSkip, createPromptEncoder } from "../prompt-encoder.ts";
import { loadUnet } from "../unet.ts";

export const loadStableDiffusion: LoadFamily = async (repository) => {
  const encoder = createPromptEncoder({
    tokenizer: await loadClipTokenizer(repository.assets, "tokenizer"),
    graph: await repository.graph("text_encoder"),
  });
  const { scaleRows, ...unet } = await loadUnet(repository, asDiffusersLoads(await repository.scheduler()));
  return {
    ...unet,
    async encode({ text, clipSkip }) {
      // A lower layer's states would still need the encoder's final norm, which its graph keeps to itself.
      if (clipSkip > 0) throw cannotSkip();
      const states = await encoder.encode(text);
      return { rows: { encoder_hidden_states: rowOf(states) }, dropped: states.dropped };
    },
    shared: ({ scale }) => scaleRows(scale),
  };
};

/** diffusers' StableDiffusionPipeline overrides these two settings, which old repositories carry wrongly. */
function asDiffusersLoads(config: Record<string, unknown>): Record<string, unknown> {
  return { ...config, steps_offset: 1, clip_sample: false };
}
