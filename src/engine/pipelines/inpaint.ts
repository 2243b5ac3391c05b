// A part of a picture drawn anew, with a diffusion model.
import { definePipeline } from "../../core/pipeline.ts";
import { mediaUrl, Type } from "../../core/schema.ts";
import { loadAdaptableModel } from "../diffusion/adaptable-model.ts";
import { drawTasks } from "../diffusion/draw-tasks.ts";
import { pictureFields, promptFields, steeringFields } from "../diffusion/drawing-fields.ts";
import { redrawnSizeField, sizeToRedraw } from "../diffusion/image-size.ts";
import { mostDrawn } from "../diffusion/most-drawn.ts";
import { drawnOutput } from "../media/drawn.ts";
import { readPicture } from "../media/picture.ts";

export const inpaint = definePipeline({
  summary: "Draws a part of a picture anew as a text prompt says.",
  input: Type.Object({
    ...pictureFields,
    mask_url: mediaUrl(
      "image",
      "White where to draw anew, black where to keep; or transparent where to draw anew. URL or data URI.",
    ),
    ...promptFields,
    image_size: redrawnSizeField,
    ...steeringFields,
  }),
  output: drawnOutput,
  estimate: mostDrawn,
  async load(assets) {
    const models = await loadAdaptableModel(assets, { drawsFrom: "mask" });
    const { codec } = assets;
    return drawTasks({
      models,
      codec,
      async plan(task) {
        const { image_url, mask_url, image_size, strength } = task.input;
        const picture = await readPicture({ task, codec, url: image_url, field: "image_url" });
        const mask = await readPicture({ task, codec, url: mask_url, field: "mask_url" });
        return { size: sizeToRedraw(image_size, { picture, ...models.size }), given: { picture, mask, strength } };
      },
    });
  },
});
