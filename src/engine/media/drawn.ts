// What all pipelines that draw pictures share: fal's fields about the pictures, and fal's answer (fal-protocol.md 12).
import type { ImageCodec, Pixels, Task } from "../../core/pipeline.ts";
import { type Static, Type } from "../../core/schema.ts";
import { MAX_SEED } from "../tensor/random.ts";
import { pictureField, savedFields, saverOf } from "./picture.ts";

/** Fields of the input, to be spread into a pipeline's own. */
export const drawnFields = {
  seed: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: MAX_SEED,
      description:
        "The same seed and input give the same picture; of several pictures each has the seed of the one before, plus 1. Absent: drawn at random and returned.",
    }),
  ),
  num_images: Type.Integer({ default: 1, minimum: 1, maximum: 8, description: "How many pictures to draw at once." }),
  enable_safety_checker: Type.Boolean({
    default: false,
    description:
      "Pictures that the model's own checker finds unsafe are black. A model without one checks nothing, and the log says so.",
  }),
  ...savedFields("jpeg"),
};

const fieldsObject = Type.Object(drawnFields);
export type DrawnFields = Static<typeof fieldsObject>;

export const drawnOutput = Type.Object({
  images: Type.Array(pictureField),
  timings: Type.Record(Type.String(), Type.Number(), { description: "Seconds; `inference` is the drawing itself." }),
  seed: Type.Integer({ description: "The seed that was used." }),
  has_nsfw_concepts: Type.Array(Type.Boolean(), { description: "One for each picture." }),
  prompt: Type.String(),
});

/** A seed for a caller who gave none; JSON carries it exactly. */
export const randomSeed = () => crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;

type Answering = {
  task: Pick<Task<DrawnFields & { prompt: string }>, "input" | "save">;
  codec: ImageCodec;
  pictures: readonly Pixels[];
  seed: number;
  /** Of the drawing. */
  seconds: number;
  /** For each picture whether it was found unsafe; absent = unchecked. */
  unsafe?: readonly boolean[];
};

/** Encodes and saves the pictures as image-1, image-2... in the format that was asked for. */
export async function answerWith({
  task,
  codec,
  pictures,
  seed,
  seconds,
  unsafe = [],
}: Answering): Promise<Static<typeof drawnOutput>> {
  const save = saverOf(task, codec);
  return {
    images: await Promise.all(pictures.map((pixels, i) => save(pixels, `image-${i + 1}`))),
    timings: { inference: seconds },
    seed,
    has_nsfw_concepts: pictures.map((_, at) => unsafe[at] ?? false),
    prompt: task.input.prompt,
  };
}

export const DRAWN_UNITS = ["images", "megapixels", "steps"] as const;

/** What is paid for: pictures, their area, and steps over all of them. */
export const unitsOf = (pictures: readonly Pixels[], steps: number): Record<(typeof DRAWN_UNITS)[number], number> => ({
  images: pictures.length,
  megapixels: pictures.reduce((sum, { width, height }) => sum + (width * height) / 1e6, 0),
  steps: pictures.length * steps,
});
