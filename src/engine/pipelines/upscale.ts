// Enlarges pictures with a network that draws the details. Fields are those of fal-ai/esrgan and fal-ai/aura-sr
// (fal-protocol.md 12).
import { definePipeline, type Pixels } from "../../core/pipeline.ts";
import { Type } from "../../core/schema.ts";
import { pictureField, pictureUrl, readImageUrl, savedFields, saverOf } from "../media/picture.ts";
import { createPause, type Pause } from "../pause.ts";
import { channelOf, withAlpha } from "../tensor/alpha.ts";
import { resize } from "../tensor/resize.ts";
import { expectSize, loadUpscaler, MOST_PIXELS } from "../upscaling/upscaler.ts";
import { variantField } from "../vision/variant.ts";

const MOST_SCALE = 8;

const fields = (variant: string) => ({
  image_url: pictureUrl,
  scale: Type.Number({
    minimum: 1,
    maximum: MOST_SCALE,
    default: 2,
    description: "How many times larger the picture becomes. What the network makes is resized to this.",
  }),
  tile: Type.Integer({
    minimum: 0,
    maximum: 2048,
    default: 0,
    description: "Edge of the pieces in which large pictures are computed, at least 64; 0 = the model's own.",
  }),
  model: variantField(variant),
  ...savedFields(),
});

const output = Type.Object({
  image: pictureField,
  timings: Type.Record(Type.String(), Type.Number(), { description: "Seconds; `inference` is the enlarging itself." }),
});

/** Real-ESRGAN's best known weights, fal's default. */
const FIRST = "RealESRGAN_x4plus";

export const upscale = {
  summary: "Enlarges a picture.",
  /** `model` of the file's defaults says which of fal's variants it is. */
  of: ({ defaults = {} }: { defaults?: Record<string, unknown> }) =>
    definePipeline({
      summary: upscale.summary,
      counts: ["images", "megapixels"],
      input: Type.Object(fields(String(defaults.model ?? FIRST))),
      output,
      estimate: () => MOST_UNITS,
      async load(assets) {
        const upscaler = await loadUpscaler(assets);
        return async function* (tasks, signal) {
          for (const [index, task] of tasks.entries()) {
            const { tile, scale } = task.input;
            const picture = await readImageUrl(task, assets.codec);
            expectSize(picture, scale);
            if (tile !== 0 && upscaler.fixedTile) task.log(`tile: ${boundTo(upscaler.fixedTile)}`);
            const from = performance.now();
            let drawn = picture;
            for await (const { at, of, enlarged } of upscaler.enlarge(picture, { tile, signal })) {
              if (of > 1) yield { index, step: { type: "progress", at, of } };
              drawn = enlarged ?? drawn;
            }
            const pixels = await inSize(drawn, picture, { scale, pause: createPause(signal) });
            const timings = { inference: (performance.now() - from) / 1000 };
            const image = await saverOf(task, assets.codec)(pixels, "image");
            const units = { requests: 1, images: 1, megapixels: (pixels.width * pixels.height) / 1e6 };
            yield { index, step: { type: "output", value: { image, timings }, units } };
          }
        };
      },
    }),
};

const boundTo = ({ width, height }: { width: number; height: number }) =>
  `the graph sees pieces of ${width} x ${height} and no others`;

const MOST_UNITS = { requests: 1, images: 1, megapixels: MOST_PIXELS / 1e6 };

/** `scale` times the picture that was given, with its transparency. */
async function inSize(
  drawn: Pixels,
  given: Pixels,
  { scale, pause }: { scale: number; pause: Pause },
): Promise<Pixels> {
  const size = {
    width: Math.max(1, Math.round(given.width * scale)),
    height: Math.max(1, Math.round(given.height * scale)),
  };
  const large = await resize(drawn, { ...size, kernel: "lanczos3", pause });
  if (given.channels !== 4) return large;
  const grey: Pixels = { ...given, data: await channelOf(given, 3, pause), channels: 1 };
  return await withAlpha(large, await resize(grey, { ...size, kernel: "bicubic", pause }), pause);
}
