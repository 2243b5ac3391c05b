// Pictures from a prompt with a diffusion model.
import { definePipeline } from "../../core/pipeline.ts";
import { Type } from "../../core/schema.ts";
import { loadDiffusionModel } from "../diffusion/diffusion-model.ts";
import { drawTasks } from "../diffusion/draw-tasks.ts";
import { promptFields, steeringFields } from "../diffusion/drawing-fields.ts";
import { imageSizeField, sizeToDraw } from "../diffusion/image-size.ts";
import { drawnOutput } from "../media/drawn.ts";

export const textToImage = definePipeline({
  summary: "Draws pictures from a text prompt.",
  input: Type.Object({ ...promptFields, image_size: imageSizeField, ...steeringFields }),
  output: drawnOutput,
  async load(assets) {
    const model = await loadDiffusionModel(assets, { drawsFrom: "prompt" });
    const { codec } = assets;
    return drawTasks({ model, codec, plan: ({ input }) => ({ size: sizeToDraw(input.image_size, model.size) }) });
  },
});
