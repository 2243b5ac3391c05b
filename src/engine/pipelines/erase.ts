// Takes things out of a picture, with LaMa. Fields are those of fal-ai/bria/eraser, fal-ai/object-removal/mask and
// fal-ai/object-removal/bbox.
import { definePipeline } from "../../core/pipeline.ts";
import { mediaUrl, Type } from "../../core/schema.ts";
import { loadLama } from "../erasing/lama.ts";
import { wishedMask } from "../erasing/wished-mask.ts";
import { pictureField, pictureUrl, readImageUrl, readPicture, savedFields, saverOf } from "../media/picture.ts";
import { createPause } from "../pause.ts";
import { withoutAlpha } from "../tensor/alpha.ts";

const edge = (name: string) => Type.Number({ minimum: 0, maximum: 1, description: `${name}, 0 to 1.` });

const input = Type.Object({
  image_url: pictureUrl,
  mask_url: Type.Optional(
    mediaUrl(
      "image",
      "White where to take away, black where to keep; or transparent where to take away. URL or data URI.",
    ),
  ),
  box_prompts: Type.Array(
    Type.Object({
      ...{ x_min: edge("Left edge"), y_min: edge("Top edge"), x_max: edge("Right edge"), y_max: edge("Bottom edge") },
    }),
    { default: [], maxItems: 64, description: "Boxes around things to take away, in shares of the picture." },
  ),
  mask_expansion: Type.Integer({
    ...{ default: 0, minimum: 0, maximum: 100 },
    description:
      "The mask is made wider by so many pixels: shadows and soft edges around a thing would stay otherwise.",
  }),
  preserve_alpha: Type.Boolean({
    default: false,
    description: "Keep the picture's transparency, which is dropped else.",
  }),
  ...savedFields(),
});

const output = Type.Object({
  image: pictureField,
  images: Type.Array(pictureField, { description: "The same picture, as a list." }),
});

export const erase = definePipeline({
  summary: "Takes things out of a picture.",
  counts: ["images"],
  input,
  output,
  estimate: () => ({ requests: 1, images: 1 }),
  async load(assets) {
    const lama = await loadLama(assets);
    const { codec } = assets;
    return async function* (tasks, signal) {
      for (const [index, task] of tasks.entries()) {
        signal.throwIfAborted();
        const { mask_url, ...wishes } = task.input;
        const pause = createPause(signal);
        const given = await readImageUrl(task, codec);
        const picture = wishes.preserve_alpha ? given : await withoutAlpha(given, pause);
        const drawn =
          mask_url === undefined ? undefined : await readPicture({ task, codec, url: mask_url, field: "mask_url" });
        const { box_prompts: boxes, mask_expansion: reach } = wishes;
        const mask = await wishedMask(picture, { drawn, boxes, reach, pause });
        const steps = lama.fill(picture, mask, pause);
        let step = await steps.next();
        for (; !step.done; step = await steps.next()) {
          yield { index, step: { type: "progress" as const, ...step.value } };
          signal.throwIfAborted();
        }
        const image = await saverOf(task, codec)(step.value, "image");
        const value = { image, images: [image] };
        yield { index, step: { type: "output" as const, value, units: { requests: 1, images: 1 } } };
      }
    };
  },
});
