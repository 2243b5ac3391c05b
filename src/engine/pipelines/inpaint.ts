// A part of a picture drawn anew, with a diffusion model.
import { invariant } from "../../core/errors.ts";
import { definePipeline } from "../../core/pipeline.ts";
import { Type } from "../../core/schema.ts";
import { loadAdaptableModel } from "../diffusion/adaptable-model.ts";
import { drawTasks } from "../diffusion/draw-tasks.ts";
import { drawingFields } from "../diffusion/drawing-fields.ts";
import { redrawnSizeField, sizeToRedraw } from "../diffusion/image-size.ts";
import { mostDrawn } from "../diffusion/most-drawn.ts";
import { maskedFields, readGiven } from "../diffusion/picture-fields.ts";
import { DRAWN_UNITS, drawnOutput } from "../media/drawn.ts";

export const inpaint = definePipeline({
  summary: "Draws a part of a picture anew as a text prompt says.",
  counts: DRAWN_UNITS,
  input: Type.Object({ ...maskedFields, ...drawingFields(redrawnSizeField) }),
  output: drawnOutput,
  estimate: mostDrawn,
  async load(assets) {
    const models = await loadAdaptableModel(assets, { drawsFrom: "mask" });
    const { codec } = assets;
    return drawTasks({
      models,
      codec,
      async plan(task) {
        const given = await readGiven({ task, codec });
        invariant(given, "image_url is a required field");
        return { size: sizeToRedraw(task.input.image_size, { picture: given.picture, ...models.size }), given };
      },
    });
  },
});
