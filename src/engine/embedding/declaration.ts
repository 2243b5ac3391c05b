// The section `embed` of a model file: what the weights do not say of themselves.
import { choice, type Static, Type } from "../../core/schema.ts";

export const poolings = ["mean", "cls", "last"] as const;
export type Pooling = (typeof poolings)[number];

export const embedDeclaration = Type.Object(
  {
    pooling: Type.Optional(
      choice(poolings, {
        description: "Which of the tokens' vectors a text's is made of: the mean of all, the first, the last",
      }),
    ),
    maxTokens: Type.Optional(Type.Integer({ minimum: 2, description: "Longer texts are refused, or cut on demand" })),
    prompts: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: 'What goes before a text, by name, e.g. query: "query: "',
      }),
    ),
    defaultPrompt: Type.Optional(Type.String({ description: "Name of the prompt where a request names none" })),
  },
  {
    additionalProperties: false,
    description: "For the pipeline embed; by default as sentence-transformers' files say",
  },
);

export type EmbedDeclaration = Static<typeof embedDeclaration>;
