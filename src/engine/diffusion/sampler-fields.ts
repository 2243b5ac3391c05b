// What a request may say of the sampling, fal's names (fal-protocol.md 12, fal-ai/lora), and what it changes of a sampler's config.
import { choice, type Static, Type } from "../../core/schema.ts";
import { samplerChoiceNames, samplerChoices } from "../samplers/choices.ts";

export const samplerFields = {
  scheduler: Type.Optional(
    choice(samplerChoiceNames, { description: "How to step from noise to picture. Absent: the model's own way." }),
  ),
  eta: Type.Number({
    default: 0,
    minimum: 0,
    maximum: 1,
    description: "How much noise DDIM and TCD add at their steps; the others do not ask.",
  }),
  prediction_type: Type.Optional(
    choice(["epsilon", "v_prediction"], {
      description: "What the model was trained to predict. Absent: as its files say.",
    }),
  ),
  rescale_betas_snr_zero: Type.Boolean({
    default: false,
    description: "Begin at pure noise, for models that were trained so and do not say it.",
  }),
};

const fields = Type.Object(samplerFields);

/** Fields that differ from the repository's scheduler_config.json; undefined where a request leaves all as it is. */
export function samplerChanges(asked: Static<typeof fields>): Record<string, unknown> | undefined {
  const { scheduler, eta, prediction_type, rescale_betas_snr_zero: fromPureNoise } = asked;
  const changes = {
    ...(scheduler && samplerChoices[scheduler]),
    ...(eta > 0 && { eta }),
    ...(prediction_type && { prediction_type }),
    ...(fromPureNoise && { rescale_betas_zero_snr: true }),
  };
  return Object.keys(changes).length > 0 ? changes : undefined;
}
