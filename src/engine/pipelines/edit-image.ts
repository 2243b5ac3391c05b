// Pictures drawn from a prompt and from pictures to go by, with a diffusion model that looks at them.
import { definePipeline, type Pixels } from "../../core/pipeline.ts";
import { mediaUrl, Type } from "../../core/schema.ts";
import { loadAdaptableModel } from "../diffusion/adaptable-model.ts";
import { drawTasks } from "../diffusion/draw-tasks.ts";
import { drawingFields } from "../diffusion/drawing-fields.ts";
import { editedSizeField, sizeToDraw } from "../diffusion/image-size.ts";
import { mostDrawn } from "../diffusion/most-drawn.ts";
import { fittedReference } from "../diffusion/reference-pictures.ts";
import { DRAWN_UNITS, drawnOutput } from "../media/drawn.ts";
import { readPicture } from "../media/picture.ts";
import { createPause } from "../pause.ts";

export const editImage = definePipeline({
  summary: "Edits or combines pictures as a text prompt says.",
  counts: DRAWN_UNITS,
  input: Type.Object({
    image_urls: Type.Array(mediaUrl("image", "URL or data URI."), {
      minItems: 1,
      maxItems: 10,
      description: "The pictures to edit or to combine; the prompt may speak of the first, the second...",
    }),
    ...drawingFields(editedSizeField),
  }),
  output: drawnOutput,
  estimate: mostDrawn,
  async load(assets) {
    const models = await loadAdaptableModel(assets, { drawsFrom: "references" });
    const { codec } = assets;
    const { native: most, multiple } = models.size;
    return drawTasks({
      models,
      codec,
      async plan(task, _session, signal) {
        const { image_urls: urls, image_size } = task.input;
        const pictures = await Promise.all(
          urls.map((url, place) => readPicture({ task, codec, url, field: ["image_urls", place] })),
        );
        const pause = createPause(signal);
        const references: Pixels[] = [];
        for (const [place, picture] of pictures.entries())
          references.push(await fittedReference(picture, { most, multiple, place, pause }));
        const [first = most] = references;
        return { size: sizeToDraw(image_size, { native: first, multiple }), references };
      },
    });
  },
});
