// Cuts the subject out of a picture, with a model that says how much of each pixel belongs to it. Fields are those of
// fal-ai/birefnet, its second version and fal-ai/imageutils/rembg (fal-protocol.md 12).
import { definePipeline, type Pixels } from "../../core/pipeline.ts";
import { choice, Type } from "../../core/schema.ts";
import { estimateForeground } from "../matting/foreground.ts";
import { loadMatting, VISIBLE } from "../matting/matte.ts";
import { pictureField, pictureUrl, readImageUrl, saverOf, syncMode } from "../media/picture.ts";
import { createPause, inPieces, type Pause } from "../pause.ts";
import { boundsOf, withAlpha } from "../tensor/alpha.ts";
import { crop } from "../tensor/crop.ts";
import { variantField } from "../vision/variant.ts";

const EDGES = { "1024x1024": 1024, "2048x2048": 2048, "2304x2304": 2304 } as const;

const fields = (variant: string) => ({
  image_url: pictureUrl,
  model: variantField(variant),
  operating_resolution: Type.Optional(
    choice(["1024x1024", "2048x2048", "2304x2304"], {
      amounts: EDGES,
      description: "The size at which the model sees the picture. Absent: the one that it is made for.",
    }),
  ),
  output_format: choice(["webp", "png", "gif"], {
    default: "png",
    description: "Format of the pictures. GIF knows no half transparency.",
  }),
  output_mask: Type.Boolean({ default: false, description: "Give the mask too, as `mask_image`." }),
  mask_only: Type.Boolean({ default: false, description: "Give the mask in place of the picture, as `image`." }),
  refine_foreground: Type.Boolean({
    default: true,
    description: "Take the background's colour out of soft edges such as hair, by estimating that of the subject.",
  }),
  crop_to_bbox: Type.Boolean({ default: false, description: "Cut away the empty borders around the subject." }),
  sync_mode: syncMode,
});

const output = Type.Object({ image: pictureField, mask_image: Type.Optional(pictureField) });

const FIRST = "General Use (Light)";

export const removeBackground = {
  summary: "Cuts the subject out of a picture.",
  /** `model` of the file's defaults says which of fal's variants it is. */
  of: ({ defaults = {} }: { defaults?: Record<string, unknown> }) =>
    definePipeline({
      summary: removeBackground.summary,
      counts: ["images"],
      input: Type.Object(fields(String(defaults.model ?? FIRST))),
      output,
      estimate: () => ({ requests: 1, images: 1 }),
      async load(assets) {
        const { matte } = await loadMatting(assets);
        return async function* (tasks, signal) {
          for (const [index, task] of tasks.entries()) {
            signal.throwIfAborted();
            const { operating_resolution: size, ...wishes } = task.input;
            const picture = await readImageUrl(task, assets.codec);
            const pause = createPause(signal);
            const mask = await matte(picture, { edge: size && EDGES[size], pause });
            const parts = await partsOf(picture, mask, { ...wishes, pause });
            const save = saverOf(task, assets.codec);
            const value = {
              image: await save(parts.image, "image"),
              ...(wishes.output_mask && { mask_image: await save(parts.mask, "mask") }),
            };
            yield { index, step: { type: "output", value, units: { requests: 1, images: 1 } } };
          }
        };
      },
    }),
};

type Wishes = { mask_only: boolean; refine_foreground: boolean; crop_to_bbox: boolean; pause: Pause };

async function partsOf(picture: Pixels, mask: Pixels, { mask_only, refine_foreground, crop_to_bbox, pause }: Wishes) {
  const bounds = crop_to_bbox ? boundsOf(mask, VISIBLE) : undefined;
  const part = (pixels: Pixels) => (bounds ? crop(pixels, bounds) : pixels);
  if (mask_only) return { image: part(mask), mask: part(mask) };
  const transparent = await withAlpha(picture, mask, pause);
  if (!refine_foreground) return { image: part(transparent), mask: part(mask) };
  const colours = await estimateForeground(picture, mask, { pause });
  await inPieces({ rows: mask.height, size: mask.width * 3, pause }, (top, bottom) => {
    for (let i = top * mask.width; i < bottom * mask.width; i++)
      for (let c = 0; c < 3; c++) transparent.data[i * 4 + c] = colours.data[i * 3 + c] ?? 0;
  });
  return { image: part(transparent), mask: part(mask) };
}
