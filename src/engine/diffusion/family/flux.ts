// FLUX.1 (schnell, dev and models built like them): CLIP's summary and T5's tokens, a transformer on a rectified flow.
import { invariant } from "../../../core/errors.ts";
import { readFlowConfig } from "../../samplers/flow-config.ts";
import { linearShift } from "../../samplers/flow-shift.ts";
import { linspace } from "../../samplers/noise-schedule.ts";
import { loadT5Tokenizer } from "../../text/t5-tokenizer.ts";
import { loadClipTokenizer } from "../../text/tokenizer.ts";
import type { LoadFamily } from "../family.ts";
import { rowOf } from "../joined-embeddings.ts";
import { createNoisePredictor } from "../noise-predictor.ts";
import { PATCH, patches, patchPositions } from "../patches.ts";
import { cannotSkip, createPromptEncoder } from "../prompt-encoder.ts";
import { flowSampling } from "../sampling.ts";

/** Tokens that T5 reads: dev, which is told the guidance scale, was trained on more than schnell (their model cards). */
const T5_LENGTH = { dev: 512, schnell: 256 };

/** Latents along each side of the pictures it was trained for, 1024 x 1024 pixels. */
const SIDE = 128;

export const loadFlux: LoadFamily = async (repository) => {
  const graph = await repository.graph("transformer");
  const predictor = createNoisePredictor({ graph, layout: patches, timestepScale: 1 / 1000 });
  const readsScale = predictor.inputs.includes("guidance");
  const maxLength = readsScale ? T5_LENGTH.dev : T5_LENGTH.schnell;
  const summary = createPromptEncoder({
    tokenizer: await loadClipTokenizer(repository.assets, "tokenizer"),
    graph: await repository.graph("text_encoder"),
  });
  const words = createPromptEncoder({
    tokenizer: await loadT5Tokenizer(repository.assets, { folder: "tokenizer_2", maxLength }),
    graph: await repository.graph("text_encoder_2"),
  });
  const scheduler = await repository.scheduler();
  const flow = readFlowConfig(scheduler);
  return {
    predictor,
    sides: { native: { width: SIDE, height: SIDE }, multiple: PATCH },
    guidance: readsScale ? "number" : "none",
    sampling: flowSampling(scheduler, ({ steps, latents: { width, height } }) => ({
      sigmas: linspace(1, 1 / steps, steps),
      mu: linearShift(flow, (width * height) / PATCH ** 2),
    })),
    async encode({ text, clipSkip, isWeighted = false }) {
      if (clipSkip > 0) throw cannotSkip();
      const { pooled } = await summary.encode(text, { isWeighted });
      invariant(pooled, "the CLIP encoder gives pooler_output");
      const states = await words.encode(text, { isWeighted });
      const pooledRow = { data: pooled, shape: [pooled.length] };
      const rows = { encoder_hidden_states: rowOf(states), pooled_projections: pooledRow };
      return { rows, readings: 1, dropped: states.dropped };
    },
    shared: ({ latents, scale }) => ({
      img_ids: patchPositions(latents),
      txt_ids: { data: new Float32Array(maxLength * 3), shape: [maxLength, 3] },
      ...(readsScale && { guidance: { data: Float32Array.of(scale), shape: [] } }),
    }),
  };
};
