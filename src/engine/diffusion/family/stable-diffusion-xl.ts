// Stable Diffusion XL and its distilled forms (Turbo, Lightning): two CLIP text encoders, a UNet told the picture's size.
import { invariant } from "../../../core/errors.ts";
import { loadClipTokenizer } from "../../text/tokenizer.ts";
import type { LoadFamily } from "../family.ts";
import { sideBySide, zerosLike } from "../joined-embeddings.ts";
import { createPromptEncoder } from "../prompt-encoder.ts";
import { loadUnet } from "../unet.ts";

/** The model reads the state below the last layer of both encoders (2307.01952, section 2.1). */
const LAYER = 2;

export const loadStableDiffusionXl: LoadFamily = async (repository) => {
  const { scaleRows, mostReadings, ...unet } = await loadUnet(repository, await repository.scheduler());
  const encoderOf = async (number: "" | "_2") =>
    createPromptEncoder({
      tokenizer: await loadClipTokenizer(repository.assets, `tokenizer${number}`),
      graph: await repository.graph(`text_encoder${number}`),
      mostReadings,
    });
  const [first, second] = [await encoderOf(""), await encoderOf("_2")];
  const index = await repository.optional<{ force_zeros_for_empty_prompt: boolean }>("model_index.json");
  const zerosWhenEmpty = index.force_zeros_for_empty_prompt ?? true;
  return {
    ...unet,
    async encode({ text, isNegative, clipSkip, ...given }) {
      const reading = { ...given, layer: isNegative ? LAYER : LAYER + clipSkip };
      const a = await first.encode(text, reading);
      const b = await second.encode(text, { ...reading, readings: a.readings });
      invariant(b.pooled, "the second text encoder gives text_embeds");
      invariant(a.readings === b.readings, "both tokenizers are CLIP's and split a text alike");
      const { readings } = b;
      const dropped = Math.max(a.dropped, b.dropped);
      const states = sideBySide([a, b]);
      const pooled = { data: b.pooled, shape: [b.pooled.length] };
      if (isNegative && text === "" && zerosWhenEmpty) {
        const nothing = { encoder_hidden_states: zerosLike(states), text_embeds: zerosLike(pooled) };
        return { rows: nothing, readings, dropped };
      }
      return { rows: { encoder_hidden_states: states, text_embeds: pooled }, readings, dropped };
    },
    // The size that the picture claims to have had, where it was cut out of that, and the size that it is to have.
    shared: ({ pixels: { width, height }, scale }) => ({
      time_ids: { data: Float32Array.of(height, width, 0, 0, height, width), shape: [6] },
      ...scaleRows(scale),
    }),
  };
};
