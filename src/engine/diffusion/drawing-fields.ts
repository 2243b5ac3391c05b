// Fields of the input that all pipelines of diffusion models share (fal-protocol.md 12); to be spread into their own.
import { type Static, type TSchema, Type } from "../../core/schema.ts";
import { loraField } from "../lora/lora-field.ts";
import { drawnFields } from "../media/drawn.ts";
import { samplerFields } from "./sampler-fields.ts";

const promptFields = {
  prompt: Type.String({
    description: "What to draw.",
    maxLength: 20_000,
    ui: { field: "textarea", important: true },
  }),
  negative_prompt: Type.String({
    default: "",
    maxLength: 20_000,
    description: "What to keep away from. Has no effect without guidance (guidance_scale of 1 or less).",
  }),
};

const steeringFields = {
  num_inference_steps: Type.Integer({
    default: 25,
    minimum: 1,
    maximum: 100,
    description: "Steps from noise to picture: more take longer and look better, up to a point.",
  }),
  guidance_scale: Type.Number({
    default: 7.5,
    minimum: 0,
    maximum: 35,
    description: "How closely to follow the prompt; 1 or less turns guidance off.",
  }),
  ...samplerFields,
  clip_skip: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 10,
    description: "Last layers of the text encoder to leave out, for models whose encoder gives the others.",
  }),
  prompt_weighting: Type.Boolean({
    default: false,
    description: "Read (word:1.3), (more) and [less] in the prompts as how much the words count.",
  }),
  loras: loraField,
  preview_every: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 100,
      description: "Streams only: a small preview after every so many steps, 0 for none. Absent: about five in a run.",
    }),
  ),
  ...drawnFields,
};

/** All of them, with the pipeline's own field of the size. */
export const drawingFields = <Size extends TSchema>(size: Size) => ({
  ...promptFields,
  image_size: size,
  ...steeringFields,
});

const shared = Type.Object({ ...promptFields, ...steeringFields });

/** What the shared code reads of an input. */
export type DrawingInput = Static<typeof shared>;
