// How a language model looks at a picture, and what the kinds of sight are made of.
import type { Assets, Graph, Pixels } from "../../core/pipeline.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Pause } from "../pause.ts";

/** OpenAI's word for how closely a picture is looked at; low: as few tokens as the model can do with. */
export type Detail = "low" | "high" | "auto";

/** A picture, resized and cut as the tower takes it, before it is seen. */
export type Look = {
  /** What stands for it in the text, with the mark once for every vector. */
  text: string;
  vectors: number;
  /** Where its vectors lie in the picture, row by row: for models that place them so. */
  grid?: { rows: number; columns: number };
  /** [vectors, width] in pieces; between two of them others have their turn. */
  pieces: readonly (() => Promise<Tensor>)[];
};

export type Sight = {
  /** The token that a template writes where a picture is. */
  mark: string;
  /** Throws `invalid_input` without a field for a picture that the model cannot look at. */
  look(pixels: Pixels, detail: Detail, pause: Pause): Promise<Look>;
};

export type SightConfig = {
  model_type?: string;
  image_token_id?: number;
  scale_factor?: number;
  vision_config?: { image_size?: number; patch_size?: number; spatial_merge_size?: number };
};

export type SightParts = { assets: Assets; config: SightConfig; tower: Graph };
