// Stable Diffusion 3 and 3.5: two CLIP text encoders and T5 (which may be left out), a transformer on a rectified flow.
import { ForecourtError, invariant } from "../../../core/errors.ts";
import { readFlowConfig } from "../../samplers/flow-config.ts";
import { linearShift } from "../../samplers/flow-shift.ts";
import { loadT5Tokenizer } from "../../text/t5-tokenizer.ts";
import { loadClipTokenizer } from "../../text/tokenizer.ts";
import type { Row } from "../condition.ts";
import type { LoadFamily } from "../family.ts";
import { endToEnd, rowOf, sideBySide } from "../joined-embeddings.ts";
import { createNoisePredictor } from "../noise-predictor.ts";
import { createPromptEncoder } from "../prompt-encoder.ts";
import type { Repository } from "../repository.ts";
import { flowSampling } from "../sampling.ts";

type TransformerConfig = { sample_size?: number; patch_size?: number; joint_attention_dim?: number };

/** Layer below the last of both CLIP encoders, tokens for T5 (2403.03206, section 4.3 and diffusers' pipeline). */
const LAYER = 2;
const T5_LENGTH = 256;

/** Of every released model, for repositories without the transformer's config.json. */
const TRANSFORMER = { sample_size: 128, patch_size: 2, joint_attention_dim: 4096 };

export const loadStableDiffusion3: LoadFamily = async (repository) => {
  const [first, second] = [await clipOf(repository, ""), await clipOf(repository, "_2")];
  const config = { ...TRANSFORMER, ...(await repository.optional<TransformerConfig>("transformer/config.json")) };
  const { sample_size: side, patch_size: patch, joint_attention_dim: width } = config;
  const readLong = await longReader(repository, width);
  const scheduler = await repository.scheduler();
  const flow = readFlowConfig(scheduler);
  return {
    predictor: createNoisePredictor({ graph: await repository.graph("transformer") }),
    sides: { native: { width: side, height: side }, multiple: patch },
    guidance: "two-prompts",
    sampling: flowSampling(scheduler, ({ latents }) =>
      flow.use_dynamic_shifting ? { mu: linearShift(flow, (latents.width * latents.height) / patch ** 2) } : {},
    ),
    async encode({ text, isNegative, clipSkip, isWeighted = false }) {
      const reading = { layer: isNegative ? LAYER : LAYER + clipSkip, isWeighted };
      const [a, b] = [await first.encode(text, reading), await second.encode(text, reading)];
      invariant(a.pooled && b.pooled, "both CLIP encoders give text_embeds");
      const pooled = endToEnd(vector(a.pooled), vector(b.pooled));
      const long = await readLong(text, isWeighted);
      const states = endToEnd(sideBySide([a, b], width), long.row);
      // What CLIP does not read, T5 still may.
      return {
        rows: { encoder_hidden_states: states, pooled_projections: pooled },
        readings: 1,
        dropped: long.dropped ?? a.dropped,
      };
    },
    shared: () => ({}),
  };
};

const vector = (data: Float32Array): Row => ({ data, shape: [data.length] });

const clipOf = async (repository: Repository, number: "" | "_2") =>
  createPromptEncoder({
    tokenizer: await loadClipTokenizer(repository.assets, `tokenizer${number}`),
    graph: await repository.graph(`text_encoder${number}`),
  });

type ReadLong = (text: string, isWeighted: boolean) => Promise<{ row: Row; dropped?: number }>;

/** T5's reading of a prompt; zeros where the repository leaves T5 out to save its memory. */
async function longReader(repository: Repository, width: number): Promise<ReadLong> {
  if (!repository.has("text_encoder_3")) {
    const nothing = { data: new Float32Array(T5_LENGTH * width), shape: [T5_LENGTH, width] };
    return async () => ({ row: nothing });
  }
  const tokenizer = await loadT5Tokenizer(repository.assets, { folder: "tokenizer_3", maxLength: T5_LENGTH });
  const encoder = createPromptEncoder({ tokenizer, graph: await repository.graph("text_encoder_3") });
  return async (text, isWeighted) => {
    const embedding = await encoder.encode(text, { isWeighted });
    if (embedding.width === width) return { row: rowOf(embedding), dropped: embedding.dropped };
    const why = `T5 gives ${embedding.width} values for each token, the transformer reads ${width}`;
    throw new ForecourtError("misconfigured", `${why}: their files are of different models`);
  };
}
