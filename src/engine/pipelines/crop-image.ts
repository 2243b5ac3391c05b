// A part of a picture, by percentages of its sides: fal's utility node of workflows that cuts tiles out of pictures.
import { definePipeline } from "../../core/pipeline.ts";
import { choice, mediaUrl, Type } from "../../core/schema.ts";
import { pictureField, readPicture, savePicture } from "../media/picture.ts";
import { crop } from "../tensor/crop.ts";

const start = (side: string) =>
  Type.Number({ minimum: 0, maximum: 100, default: 0, description: `Where the part begins, percent of the ${side}.` });
const length = (side: string) =>
  Type.Number({ exclusiveMinimum: 0, maximum: 100, default: 100, description: `Percent of the ${side}.` });

const input = Type.Object({
  image_url: mediaUrl("image", "The picture: URL or data URI."),
  x_percent: start("width"),
  y_percent: start("height"),
  width_percent: length("width"),
  height_percent: length("height"),
  output_format: choice(["png", "jpeg", "webp"], { default: "png", description: "Format of the part." }),
  sync_mode: Type.Boolean({ default: false, description: "Give the part as a data URI." }),
});

/** At least one pixel, and never beyond the edge. */
function span(whole: number, startPercent: number, lengthPercent: number) {
  const from = Math.min(whole - 1, Math.round((whole * startPercent) / 100));
  const to = Math.min(whole, Math.max(from + 1, Math.round((whole * (startPercent + lengthPercent)) / 100)));
  return { from, length: to - from };
}

export const cropImage = definePipeline({
  summary: "Cuts a rectangle out of a picture.",
  input,
  output: Type.Object({ image: pictureField }),
  estimate: () => ({ images: 1 }),
  load: async ({ codec }) =>
    async function* (tasks, signal) {
      for (const [index, task] of tasks.entries()) {
        signal.throwIfAborted();
        const { input } = task;
        const pixels = await readPicture({ task, codec, url: input.image_url, field: "image_url" });
        const across = span(pixels.width, input.x_percent, input.width_percent);
        const down = span(pixels.height, input.y_percent, input.height_percent);
        const rectangle = { left: across.from, top: down.from, width: across.length, height: down.length };
        const part = crop(pixels, rectangle);
        const { output_format: format, sync_mode: inline } = input;
        const image = await savePicture({ task, codec, pixels: part, name: "part", format, inline });
        yield { index, step: { type: "output", value: { image }, units: { images: 1 } } };
      }
    },
});
