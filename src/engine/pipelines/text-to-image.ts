// Pictures from a prompt with a diffusion model.
import { definePipeline } from "../../core/pipeline.ts";
import { Type } from "../../core/schema.ts";
import { loadAdaptableModel } from "../diffusion/adaptable-model.ts";
import { drawTasks } from "../diffusion/draw-tasks.ts";
import { drawingFields } from "../diffusion/drawing-fields.ts";
import { drawingKey } from "../diffusion/drawing-key.ts";
import { frameFields, frameOf, pictureOfSession } from "../diffusion/frame-fields.ts";
import { imageSizeField, sizeToDraw } from "../diffusion/image-size.ts";
import { mostDrawn } from "../diffusion/most-drawn.ts";
import { DRAWN_UNITS, drawnOutput } from "../media/drawn.ts";

export const textToImage = definePipeline({
  summary: "Draws pictures from a text prompt.",
  counts: DRAWN_UNITS,
  input: Type.Object(drawingFields(imageSizeField)),
  output: drawnOutput,
  estimate: mostDrawn,
  frame: Type.Object({ ...drawingFields(imageSizeField), ...frameFields }),
  batchKey: drawingKey,
  async load(assets) {
    const models = await loadAdaptableModel(assets, { drawsFrom: "prompt" });
    const { codec } = assets;
    return drawTasks({
      models,
      codec,
      async plan(task, session) {
        const size = sizeToDraw(task.input.image_size, models.size);
        const picture = await pictureOfSession({ task, session, codec });
        const { strength = 1 } = frameOf(task) ?? {};
        return { size, ...(picture && { given: { picture, strength } }) };
      },
    });
  },
});
