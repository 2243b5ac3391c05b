// What is where in a picture, by a detector of the DETR family: boxes in fal's shape of detections, and a picture that shows them.
import { definePipeline } from "../../core/pipeline.ts";
import { choice, mediaUrl, Type } from "../../core/schema.ts";
import { loadDetector } from "../labelling/detector.ts";
import { pictureField, readPicture, savePicture } from "../media/picture.ts";
import { annotate, boxOutline } from "../vision/annotate.ts";
import { detectionFields } from "../vision/detection-fields.ts";

const bbox = Type.Object(detectionFields);

export const detectObjects = definePipeline({
  summary: "Finds things of known kinds in a picture.",
  input: Type.Object({
    image_url: mediaUrl("image", "The picture: URL or data URI."),
    score_threshold: Type.Number({ default: 0.5, minimum: 0, maximum: 1, description: "Boxes with less are dropped." }),
    output_format: choice(["png", "jpeg", "webp"], { default: "png", description: "Format of the picture." }),
    sync_mode: Type.Boolean({
      default: false,
      description: "Return the picture inside the answer, as a data URI, instead of as a file.",
    }),
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
        const { image_url: url, score_threshold: threshold, output_format: format, sync_mode: inline } = task.input;
        const picture = await readPicture({ task, codec: assets.codec, url, field: "image_url" });
        const bboxes = await detect(picture, threshold);
        const pixels = annotate(picture, bboxes.map(boxOutline));
        const image = await savePicture({ task, codec: assets.codec, pixels, name: "image", format, inline });
        const value = { results: { bboxes }, image };
        yield { index, step: { type: "output", value, units: { requests: 1, images: 1 } } };
      }
    };
  },
});
