// Fields that many of fal's endpoints for pictures have (fal-protocol.md 12), and those of them that mean nothing here.
import type { EndpointInput } from "../declaration.ts";

export type Fields = Record<string, EndpointInput>;

const expansion: EndpointInput = {
  accepted: "boolean",
  default: false,
  refusal: "Prompts are not expanded here: send false, or let a language model write the prompt before",
};

export const promptOnly: Fields = { prompt: {} };
export const prompts: Fields = { prompt: {}, negative_prompt: {} };

/** On fal all of them check; a model without a checker checks nothing, and the log says so. */
export const checked: Fields = { enable_safety_checker: { default: true } };
export const checkedByVersion: Fields = {
  ...checked,
  safety_checker_version: {
    accepted: "string",
    values: ["v1", "v2"],
    default: "v1",
    description: "A model has one checker, its own.",
  },
};

export const steps = (value: number, maximum: number, minimum = 1): Fields => ({
  num_inference_steps: { default: value, minimum, maximum },
});
export const guidance = (value: number, minimum = 0, maximum = 20): Fields => ({
  guidance_scale: { default: value, minimum, maximum },
});
export const size = (preset: string): Fields => ({ image_size: { default: preset } });
export const count = (maximum: number): Fields => ({ num_images: { default: 1, maximum } });
export const strength = (value: number, minimum: number): Fields => ({ strength: { default: value, minimum } });

export const outputFormat: Fields = { output_format: { values: ["jpeg", "png"], default: "jpeg" } };
/** The older endpoints' name for it. */
export const format: Fields = { format: { input: "output_format", values: ["jpeg", "png"], default: "jpeg" } };

export const acceleration = (value: string, values = ["none", "regular", "high"]): Fields => ({
  acceleration: {
    accepted: "string",
    values,
    default: value,
    description: "How much faster at the cost of quality.",
  },
});

export const requestId: Fields = {
  request_id: { accepted: "string", default: "", description: "The caller's own name for the request." },
};

export const embeddings: Fields = {
  embeddings: {
    accepted: "list",
    default: [],
    refusal: "Textual inversion is not known here: leave embeddings empty",
  },
};

export const expandPrompt: Fields = { expand_prompt: expansion };
/** The same by its other name. */
export const promptExpansion: Fields = { prompt_expansion: expansion };

/** What an answer of fal's holds, where it is not all that the pipelines give. */
export const withoutPrompt = { images: {}, timings: {}, seed: {}, has_nsfw_concepts: {} };
