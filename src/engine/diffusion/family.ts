// What a family of diffusion models tells the shared code about itself; each family is one file of family/.
import type { Condition, Rows } from "./condition.ts";
import type { Size } from "./image-size.ts";
import type { VaeConfig } from "./latent-decoder.ts";
import type { NoisePredictor } from "./noise-predictor.ts";
import type { Repository } from "./repository.ts";
import type { Sampling } from "./sampling.ts";

export type Family = {
  encode(prompt: Prompt): Promise<Condition>;
  predictor: NoisePredictor;
  sampling: Sampling;
  /** Of the autoencoder, where its own config.json does not say. */
  autoencoder?: VaeConfig;
  /** Pictures can be shown to it besides the prompt, of any size. */
  seesReferences?: boolean;
  /** In latents: the size that the model was trained for, and what both sides must be a multiple of. */
  sides: { native: Size; multiple: number };
  /**
   * How the prompt is followed more closely than trained: by two prompts in one call (2207.12598), by a number that the
   * model reads, or not at all.
   */
  guidance: "two-prompts" | "number" | "none";
  /** Inputs that are the same for all rows of a run; sizes of references are in latents. */
  shared(run: { pixels: Size; latents: Size; scale: number; references: readonly Size[] }): Rows;
};

export type Prompt = {
  text: string;
  /** The prompt to keep away from; families may treat an empty one in their own way. */
  isNegative: boolean;
  /** Layers of a CLIP text encoder to leave out, counted from the end that the model normally reads. */
  clipSkip: number;
  /** Brackets in the text say how much its parts count. */
  isWeighted?: boolean;
  /** At least so many readings, see prompt-encoder.ts. */
  readings?: number;
};

export type LoadFamily = (repository: Repository) => Promise<Family>;
