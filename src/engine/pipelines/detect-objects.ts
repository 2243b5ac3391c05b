// What is where in a picture, by a detector of the DETR family: boxes in fal's shape of detections, and a picture that shows them.
import { definePipeline } from "../../core/pipeline.ts";
import { Type } from "../../core/schema.ts";
import { loadDetector } from "../labelling/detector.ts";
import { pictureField, pictureUrl, readImageUrl, savedFields, saverOf } from "../media/picture.ts";
import { createPause } from "../pause.ts";
import { annotate, boxOutline } from "../vision/annotate.ts";
import { detectionFields } from "../vision/detection-fields.ts";

const bbox = Type.Object(detectionFields);

export const detectObjects = definePipeline({
  summary: "Finds things of known kinds in a picture.",
  counts: ["images"],
  input: Type.Object({
    image_url: pictureUrl,
    score_threshold: Type.Number({ default: 0.5, minimum: 0, maximum: 1, description: "Boxes with less are dropped." }),
    ...savedFields(),
  }),
  output: Type.Object({
    results: Type.Object({ bboxes: Type.Array(bbox, { description: "Best first." }) }),
    image: { ...pictureField, description: "The picture with the boxes, each kind of thing in a colour of its own." },
  }),
  estimate: () => ({ requests: 1, images: 1 }),
  async load(assets) {
    const { detect } = await loadDetector(assets);
    return async function* (tasks, signal) {
      for (const [index, task] of tasks.entries()) {
        signal.throwIfAborted();
        const picture = await readImageUrl(task, assets.codec);
        const bboxes = await detect(picture, task.input.score_threshold);
        const shown = await annotate(picture, bboxes.map(boxOutline), createPause(signal));
        const image = await saverOf(task, assets.codec)(shown, "image");
        const value = { results: { bboxes }, image };
        yield { index, step: { type: "output", value, units: { requests: 1, images: 1 } } };
      }
    };
  },
});
