// fal's endpoints with several weights have a field `model`; here each set of weights is a model of its own.
import { choice } from "../../core/schema.ts";

/** Only the one that this model is: others are refused rather than answered by the wrong weights. */
export const variantField = (own: string) =>
  choice([own], {
    default: own,
    description: "Which of fal's weights this model is; others are models of their own.",
  });
