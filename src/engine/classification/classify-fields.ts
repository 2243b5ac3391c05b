// What a model that sorts texts into classes is asked and what it answers, transformers' names where it has one.
import type { Units } from "../../core/pipeline.ts";
import { choice, type Static, Type } from "../../core/schema.ts";
import { countOf, longText, mostTokensOf, usageField } from "../embedding/embed-fields.ts";

export const classifyInput = Type.Object({
  input: Type.Union([longText(), Type.Array(longText(), { minItems: 1, maxItems: 1024 })], {
    description: "A text, or a list of texts: each is judged by itself.",
    ui: { important: true },
  }),
  top_k: Type.Optional(Type.Integer({ minimum: 1, description: "How many of the likeliest classes; absent: all." })),
  function_to_apply: Type.Optional(
    choice(["sigmoid", "softmax", "none"], {
      description:
        "What becomes of the model's numbers: each by itself between 0 and 1, shares of one, or nothing. Absent: as its config says.",
    }),
  ),
  truncate: Type.Boolean({ default: false, description: "Cut texts that are too long, instead of refusing them." }),
});

const classesField = Type.Array(Type.Object({ label: Type.String(), score: Type.Number() }));

export const classifyOutput = Type.Object({
  results: Type.Array(classesField, {
    description: "For each text of the input, in its order: its classes, the likeliest first.",
  }),
  usage: usageField,
});

export type ClassifyInput = Static<typeof classifyInput>;
export type ClassifyOutput = Static<typeof classifyOutput>;
export type Classes = Static<typeof classesField>;

export const mostClassified = ({ input }: ClassifyInput): Units =>
  countOf({ tokens: mostTokensOf([input].flat()), images: 0 });
