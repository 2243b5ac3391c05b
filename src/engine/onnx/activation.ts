// From a graph's raw scores to shares.
import { choice, type Static } from "../../core/schema.ts";

export const activationField = choice(["none", "sigmoid", "softmax"], {
  default: "none",
  description: "What is left to do on the graph's scores: nothing, each by itself, or as shares of one",
});

export type Activation = Static<typeof activationField>;

export const sigmoid = (value: number) => 1 / (1 + Math.exp(-value));
