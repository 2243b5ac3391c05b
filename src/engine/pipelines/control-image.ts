// Pictures drawn from a prompt along the edges, depths or poses of another picture, with a diffusion model and its ControlNet.
import { definePipeline } from "../../core/pipeline.ts";
import { Type } from "../../core/schema.ts";
import { loadAdaptableModel } from "../diffusion/adaptable-model.ts";
import { controlFields } from "../diffusion/control-fields.ts";
import { loadPreprocessors } from "../diffusion/control-preprocessors.ts";
import { drawTasks } from "../diffusion/draw-tasks.ts";
import { drawingFields } from "../diffusion/drawing-fields.ts";
import { redrawnSizeField, sizeToRedraw } from "../diffusion/image-size.ts";
import { mostDrawn } from "../diffusion/most-drawn.ts";
import { optionalPictureFields, readGiven } from "../diffusion/picture-fields.ts";
import { DRAWN_UNITS, drawnOutput } from "../media/drawn.ts";
import { readPicture } from "../media/picture.ts";

export const controlImage = definePipeline({
  summary: "Draws pictures from a text prompt, along the lines of a given picture.",
  counts: DRAWN_UNITS,
  input: Type.Object({
    ...controlFields,
    ...optionalPictureFields,
    ...drawingFields(redrawnSizeField),
  }),
  output: drawnOutput,
  estimate: mostDrawn,
  async load(assets) {
    const models = await loadAdaptableModel(assets, { drawsFrom: "control" });
    const prepare = await loadPreprocessors(assets);
    const { codec } = assets;
    return drawTasks({
      models,
      codec,
      async plan(task, _session, signal) {
        const { control_image_url: url, image_size, controlnet_conditioning_scale: scale } = task.input;
        const { start_percentage: from, end_percentage: to } = task.input;
        const shown = await readPicture({ task, codec, url, field: "control_image_url" });
        const given = await readGiven({ task, codec });
        return {
          size: sizeToRedraw(image_size, { picture: shown, ...models.size }),
          control: { picture: await prepare(shown, task.input, signal), scale, span: [from, to] },
          ...(given && { given }),
        };
      },
    });
  },
});
