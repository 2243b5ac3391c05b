// A part of a picture, by percentages of its sides: fal's utility node of workflows that cuts tiles out of pictures.
import { definePipeline } from "../../core/pipeline.ts";
import { Type } from "../../core/schema.ts";
import { pictureField, pictureUrl, readImageUrl, savedFields, saverOf } from "../media/picture.ts";
import { crop } from "../tensor/crop.ts";

const start = (side: string) =>
  Type.Number({ minimum: 0, maximum: 100, default: 0, description: `Where the part begins, percent of the ${side}.` });
const length = (side: string) =>
  Type.Number({ exclusiveMinimum: 0, maximum: 100, default: 100, description: `Percent of the ${side}.` });

const input = Type.Object({
  image_url: pictureUrl,
  x_percent: start("width"),
  y_percent: start("height"),
  width_percent: length("width"),
  height_percent: length("height"),
  ...savedFields(),
});

/** At least one pixel, and never beyond the edge. */
function span(whole: number, startPercent: number, lengthPercent: number) {
  const from = Math.min(whole - 1, Math.round((whole * startPercent) / 100));
  const to = Math.min(whole, Math.max(from + 1, Math.round((whole * (startPercent + lengthPercent)) / 100)));
  return { from, length: to - from };
}

export const cropImage = definePipeline({
  summary: "Cuts a rectangle out of a picture.",
  counts: ["images"],
  input,
  output: Type.Object({ image: pictureField }),
  estimate: () => ({ images: 1 }),
  load: async ({ codec }) =>
    async function* (tasks, signal) {
      for (const [index, task] of tasks.entries()) {
        signal.throwIfAborted();
        const { input } = task;
        const pixels = await readImageUrl(task, codec);
        const across = span(pixels.width, input.x_percent, input.width_percent);
        const down = span(pixels.height, input.y_percent, input.height_percent);
        const rectangle = { left: across.from, top: down.from, width: across.length, height: down.length };
        const image = await saverOf(task, codec)(crop(pixels, rectangle), "part");
        yield { index, step: { type: "output", value: { image }, units: { images: 1 } } };
      }
    },
});
