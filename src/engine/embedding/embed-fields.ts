// What is asked of an embedding model and what it answers, OpenAI's names where it has one.
import type { Units } from "../../core/pipeline.ts";
import { mediaUrl, type Static, Type } from "../../core/schema.ts";

/** Characters; no model of today reads a tenth of it. */
const LONGEST = 400_000;

export const longText = (description?: string) =>
  Type.String({ minLength: 1, maxLength: LONGEST, ...(description !== undefined && { description }) });

const picture = Type.Object({ image_url: mediaUrl("image", "A picture, for models that read them: URL or data URI.") });
const sound = Type.Object({ audio_url: mediaUrl("audio", "A sound, for models that hear them: URL or data URI.") });

export const embedInput = Type.Object({
  input: Type.Union(
    [longText(), Type.Array(Type.Union([longText(), picture, sound]), { minItems: 1, maxItems: 2048 })],
    {
      description:
        "A text, or a list of texts, pictures (`{image_url}`) and sounds (`{audio_url}`): each becomes one embedding.",
      ui: { important: true },
    },
  ),
  dimensions: Type.Optional(
    Type.Integer({
      minimum: 1,
      description:
        "Keep only so many numbers of each embedding; sensible for models that are trained for it (Matryoshka).",
    }),
  ),
  normalize: Type.Boolean({ default: true, description: "Bring each to length 1, so that a dot product is a cosine." }),
  prompt_name: Type.Optional(
    Type.String({
      description: "Name of one of the model's prompts, e.g. query or document: it goes before each text.",
    }),
  ),
  prompt: Type.Optional(Type.String({ description: "What goes before each text, instead of a prompt of the model." })),
  truncate: Type.Boolean({ default: false, description: "Cut texts that are too long, instead of refusing them." }),
});

export const usageField = Type.Object({ prompt_tokens: Type.Integer(), total_tokens: Type.Integer() });

export const embedOutput = Type.Object({
  embeddings: Type.Array(Type.Array(Type.Number()), { description: "One for each of the input, in its order." }),
  usage: usageField,
});

export type EmbedInput = Static<typeof embedInput>;
export type EmbedOutput = Static<typeof embedOutput>;

/** Marks around a text, and a prompt of the model before it. */
const AROUND = 256;

/** A token holds at least one byte. */
export const mostTokensOf = (texts: readonly string[]) =>
  texts.reduce((sum, text) => sum + AROUND + Buffer.byteLength(text), 0);

type Counted = { tokens: number; images: number; sounds?: number };

export const countOf = ({ tokens, images, sounds = 0 }: Counted): Units => ({
  requests: 1,
  input_tokens: tokens,
  tokens,
  images,
  ...(sounds > 0 && { sounds }),
});

export function mostEmbedded({ input, prompt = "" }: EmbedInput): Units {
  const all = [input].flat();
  const texts = all.filter((each) => typeof each === "string");
  const tokens = mostTokensOf(texts) + texts.length * Buffer.byteLength(prompt);
  const sounds = all.filter((each) => typeof each === "object" && "audio_url" in each).length;
  return countOf({ tokens, images: all.length - texts.length - sounds, sounds });
}
