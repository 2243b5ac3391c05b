// Stable Diffusion 1 and 2 and latent consistency models in ONNX: optimum's layout and that of diffusers' old script. models.md 1.1 and 2.
import { createSampler } from "../../../engine/samplers/registry.ts";
import { configOf, type Family, present, requireFiles, tokenizerFiles } from "./finding.ts";
import { pickGraphs } from "./pick-graph.ts";
import type { Repository } from "./repository.ts";

const GRAPHS = ["text_encoder/model.onnx", "unet/model.onnx", "vae_decoder/model.onnx"];
const CONFIGS = ["text_encoder/config.json", "unet/config.json", "vae/config.json", "vae_decoder/config.json"];

export const stableDiffusion: Family = (repository, wishes) => {
  const scheduler = requireFiles(repository, ["scheduler/scheduler_config.json"]);
  createSampler(configOf(repository, "scheduler/scheduler_config.json"), 1); // refuses what it can't do
  const graphs = pickGraphs(repository, GRAPHS, wishes);
  const { size, isKnown } = nativeSize(repository);
  const fewSteps = fewStepsOf(repository);
  return {
    pipeline: "text-to-image",
    category: "text-to-image",
    description: "Draws pictures from a text prompt",
    graphs,
    files: [
      ...scheduler,
      ...present(repository, ["model_index.json", ...CONFIGS]),
      ...tokenizerFiles(repository, "tokenizer/"),
      ...Object.values(graphs).flatMap(({ files }) => files),
    ],
    defaults: fewSteps?.defaults ?? {},
    working: attentionBytes(repository, size),
    unit: "image",
    unsure: [
      ...(isKnown
        ? []
        : [`The size it was trained for is taken to be ${size} x ${size}: there is no unet/config.json.`]),
      ...(fewSteps ? [fewSteps.reason] : []),
    ],
  };
};

/** Models that were distilled draw in a few steps; a latent consistency model takes its guidance as an input. */
function fewStepsOf(repository: Repository): { defaults: Record<string, number>; reason: string } | undefined {
  if (typeof configOf(repository, "unet/config.json").time_cond_proj_dim === "number")
    return {
      defaults: { num_inference_steps: 4 },
      reason: "It is a latent consistency model: its default is 4 steps.",
    };
  if (!/turbo|lightning|hyper|lcm/i.test(repository.repo)) return undefined;
  const reason = "By its name it draws in few steps: 4 without guidance are its defaults.";
  return { defaults: { num_inference_steps: 4, guidance_scale: 1 }, reason };
}

/** Stable Diffusion 1's, where a repository does not say. */
const LATENT_SIDE = 64;
const UPSCALE = 8;
const HEADS = 8;

function nativeSize(repository: Repository): { size: number; isKnown: boolean } {
  const side = configOf(repository, "unet/config.json").sample_size;
  const levels = { ...configOf(repository, "vae/config.json"), ...configOf(repository, "vae_decoder/config.json") }
    .block_out_channels;
  const upscale = Array.isArray(levels) ? 2 ** (levels.length - 1) : UPSCALE;
  return typeof side === "number"
    ? { size: side * upscale, isKnown: true }
    : { size: LATENT_SIDE * UPSCALE, isKnown: false };
}

/** The largest attention matrix of a guided step, before and after softmax: heads x rows x (h·w)^2 floats, twice. */
function attentionBytes(repository: Repository, size: number): number {
  const { attention_head_dim: heads } = configOf(repository, "unet/config.json");
  const first = Array.isArray(heads) ? heads[0] : heads;
  const latents = (size / UPSCALE) ** 2;
  return 2 * 2 * (typeof first === "number" ? first : HEADS) * 4 * latents ** 2;
}
