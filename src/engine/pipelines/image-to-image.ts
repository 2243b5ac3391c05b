// Pictures drawn anew from a picture and a prompt, with a diffusion model.
import { definePipeline } from "../../core/pipeline.ts";
import { Type } from "../../core/schema.ts";
import { loadAdaptableModel } from "../diffusion/adaptable-model.ts";
import { drawTasks } from "../diffusion/draw-tasks.ts";
import { drawingFields } from "../diffusion/drawing-fields.ts";
import { frameFields, noPictureYet, pictureOfSession } from "../diffusion/frame-fields.ts";
import { redrawnSizeField, sizeToRedraw } from "../diffusion/image-size.ts";
import { mostDrawn } from "../diffusion/most-drawn.ts";
import { optionalPictureFields, pictureFields } from "../diffusion/picture-fields.ts";
import { DRAWN_UNITS, drawnOutput } from "../media/drawn.ts";
import { readImageUrl, readPicture } from "../media/picture.ts";

export const imageToImage = definePipeline({
  summary: "Draws a picture anew as a text prompt says.",
  counts: DRAWN_UNITS,
  input: Type.Object({
    ...pictureFields,
    mask_url: optionalPictureFields.mask_url,
    ...drawingFields(redrawnSizeField),
    preserve_aspect_ratio: Type.Boolean({
      default: false,
      description: "Keep the picture's proportions: it is drawn as large as fits into image_size.",
    }),
    crop_output: Type.Boolean({
      default: false,
      description: "Cut what is drawn to the given picture's proportions, where the drawn size is not of these.",
    }),
  }),
  output: drawnOutput,
  estimate: mostDrawn,
  frame: Type.Object({ ...drawingFields(redrawnSizeField), ...frameFields }),
  async load(assets) {
    const models = await loadAdaptableModel(assets, { drawsFrom: "picture" });
    const { codec } = assets;
    return drawTasks({
      models,
      codec,
      async plan(task, session) {
        const { image_size, mask_url, strength, preserve_aspect_ratio: keepsProportions, crop_output } = task.input;
        const picture = session ? await pictureOfSession({ task, session, codec }) : await readImageUrl(task, codec);
        if (!picture) throw noPictureYet();
        return {
          size: sizeToRedraw(image_size, { picture, ...models.size, keepsProportions }),
          given: {
            ...{ picture, strength },
            ...(mask_url !== undefined && {
              mask: await readPicture({ task, codec, url: mask_url, field: "mask_url" }),
            }),
          },
          ...(crop_output && { proportions: picture }),
        };
      },
    });
  },
});
