// What is in a picture, as the names of a classifier's classes.
import { definePipeline } from "../../core/pipeline.ts";
import { Type } from "../../core/schema.ts";
import { loadClassifier } from "../labelling/classifier.ts";
import { pictureUrl, readImageUrl } from "../media/picture.ts";

export const classifyImage = definePipeline({
  summary: "Names what is in a picture, out of the classes that the model knows.",
  counts: ["images"],
  input: Type.Object({
    image_url: pictureUrl,
    top_k: Type.Integer({ default: 5, minimum: 1, maximum: 1000, description: "How many classes to give." }),
  }),
  output: Type.Object({
    classes: Type.Array(
      Type.Object({ label: Type.String(), score: Type.Number({ description: "A share from 0 to 1." }) }),
      { description: "The likeliest classes, best first." },
    ),
  }),
  estimate: () => ({ requests: 1, images: 1 }),
  async load(assets) {
    const { classify } = await loadClassifier(assets);
    return async function* (tasks, signal) {
      for (const [index, task] of tasks.entries()) {
        signal.throwIfAborted();
        const picture = await readImageUrl(task, assets.codec);
        const value = { classes: (await classify(picture)).slice(0, task.input.top_k) };
        yield { index, step: { type: "output", value, units: { requests: 1, images: 1 } } };
      }
    };
  },
});
