// What Florence-2 is asked and what it answers: fal's names (fal-protocol.md 12), one field saying which of fal's endpoints.
import { choice, type Static, Type } from "../../core/schema.ts";
import { pictureField, pictureUrl, savedFields } from "../media/picture.ts";
import { taskNames } from "./tasks.ts";

const bin = (description: string) => Type.Integer({ minimum: 0, maximum: 999, description });

export const readImageInput = Type.Object({
  image_url: pictureUrl,
  task: choice(taskNames, { default: "caption", description: "What to tell of it." }),
  text_input: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 20_000,
      description: "What to look for: a caption, or words for things. Needed by the tasks that look for something.",
    }),
  ),
  region: Type.Optional(
    Type.Object(
      { x1: bin("Left edge"), y1: bin("Top edge"), x2: bin("Right edge"), y2: bin("Bottom edge") },
      { description: "Part of the picture, in thousandths of its sides. Needed by the tasks of a region." },
    ),
  ),
  max_tokens: Type.Integer({ default: 1024, minimum: 1, maximum: 4096, description: "Most tokens of the answer." }),
  num_beams: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 8,
      description: "Answers that are tried side by side; absent: as many as the model's own settings say.",
    }),
  ),
  ...savedFields("jpeg"),
});

const label = Type.String({ description: "What it is; empty where the task gives no names." });
const point = Type.Object({ x: Type.Number(), y: Type.Number() });
const corners = Object.fromEntries(
  [1, 2, 3, 4].flatMap((at) => [`x${at}`, `y${at}`]).map((name) => [name, Type.Number()]),
);

export const readImageOutput = Type.Object({
  results: Type.Union(
    [
      Type.String(),
      Type.Object({
        bboxes: Type.Optional(
          Type.Array(
            Type.Object({
              ...{ x: Type.Number({ description: "Left edge, in pixels." }), y: Type.Number() },
              ...{ w: Type.Number(), h: Type.Number(), label },
            }),
          ),
        ),
        quad_boxes: Type.Optional(Type.Array(Type.Object({ ...corners, label }))),
        polygons: Type.Optional(Type.Array(Type.Object({ points: Type.Array(point), label }))),
      }),
    ],
    { description: "Text, or places in the picture, as the task has it." },
  ),
  image: Type.Optional(pictureField),
});

export type ReadImageInput = Static<typeof readImageInput>;
export type ReadImageOutput = Static<typeof readImageOutput>;
