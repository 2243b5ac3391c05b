// How far things in a picture are: a grey picture and the numbers behind it. Fields are those of fal's preprocessors for depth
// (fal-protocol.md 12).

import { definePipeline } from "../../core/pipeline.ts";
import { choice, Type } from "../../core/schema.ts";
import { depthPicture, rangeOf } from "../depth/depth-map.ts";
import { loadDepthModel } from "../depth/depth-model.ts";
import { pictureField, pictureUrl, readImageUrl, savedFields, saverOf } from "../media/picture.ts";
import { createPause } from "../pause.ts";

const input = Type.Object({
  image_url: pictureUrl,
  ...savedFields(),
});

const output = Type.Object({
  image: { ...pictureField, description: "Grey, in the picture's size: the nearest white, the farthest black." },
  depth: Type.Object({
    unit: choice(["metres", "nearness"], {
      description: "metres: distances; nearness: the nearer the greater, in a measure of this picture's own.",
    }),
    minimum: Type.Number({ description: "The least value of a pixel." }),
    maximum: Type.Number({ description: "The greatest." }),
  }),
});

export const estimateDepth = definePipeline({
  summary: "Tells how far the things in a picture are.",
  counts: ["images"],
  input,
  output,
  estimate: () => ({ requests: 1, images: 1 }),
  async load(assets) {
    const model = await loadDepthModel(assets);
    return async function* (tasks, signal) {
      for (const [index, task] of tasks.entries()) {
        signal.throwIfAborted();
        const map = await model.estimate(await readImageUrl(task, assets.codec), signal);
        const pause = createPause(signal);
        const image = await saverOf(task, assets.codec)(await depthPicture(map, pause), "image");
        const value = { image, depth: { unit: map.unit, ...(await rangeOf(map, pause)) } };
        yield { index, step: { type: "output", value, units: { requests: 1, images: 1 } } };
      }
    };
  },
});
