// Takes things out of a picture, with LaMa. Fields are those of fal-ai/bria/eraser and fal-ai/object-removal/mask.
import { ForecourtError } from "../../core/errors.ts";
import { definePipeline, type Pixels } from "../../core/pipeline.ts";
import { choice, mediaUrl, Type } from "../../core/schema.ts";
import { fittedMask } from "../diffusion/given-picture.ts";
import { expanded } from "../erasing/expand.ts";
import { loadLama } from "../erasing/lama.ts";
import { pictureField, readPicture, savePicture } from "../media/picture.ts";
import type { Mask } from "../segmentation/regions.ts";
import { withoutAlpha } from "../tensor/alpha.ts";

const input = Type.Object({
  image_url: mediaUrl("image", "The picture: URL or data URI."),
  mask_url: mediaUrl(
    "image",
    "White where to take away, black where to keep; or transparent where to take away. URL or data URI.",
  ),
  mask_expansion: Type.Integer({
    ...{ default: 0, minimum: 0, maximum: 100 },
    description:
      "The mask is made wider by so many pixels: shadows and soft edges around a thing would stay otherwise.",
  }),
  preserve_alpha: Type.Boolean({
    default: false,
    description: "Keep the picture's transparency, which is dropped else.",
  }),
  output_format: choice(["png", "jpeg", "webp"], { default: "png", description: "Format of the picture." }),
  sync_mode: Type.Boolean({ default: false, description: "Give the picture inside the answer, as a data URI." }),
});

const output = Type.Object({
  image: pictureField,
  images: Type.Array(pictureField, { description: "The same picture, as a list." }),
});

export const erase = definePipeline({
  summary: "Takes things out of a picture.",
  input,
  output,
  estimate: () => ({ requests: 1, images: 1 }),
  async load(assets) {
    const lama = await loadLama(assets);
    const { codec } = assets;
    return async function* (tasks, signal) {
      for (const [index, task] of tasks.entries()) {
        signal.throwIfAborted();
        const { image_url, mask_url, output_format: format, sync_mode: inline, ...wishes } = task.input;
        const given = await readPicture({ task, codec, url: image_url, field: "image_url" });
        const picture = wishes.preserve_alpha ? given : withoutAlpha(given);
        const drawn = await readPicture({ task, codec, url: mask_url, field: "mask_url" });
        const mask = expanded(maskOf(drawn, picture), wishes.mask_expansion);
        checkMask(mask);
        const steps = lama.fill(picture, mask);
        let step = await steps.next();
        for (; !step.done; step = await steps.next()) {
          yield { index, step: { type: "progress" as const, ...step.value } };
          signal.throwIfAborted();
        }
        const image = await savePicture({ task, codec, pixels: step.value, name: "image", format, inline });
        const value = { image, images: [image] };
        yield { index, step: { type: "output" as const, value, units: { requests: 1, images: 1 } } };
      }
    };
  },
});

const maskOf = (drawn: Pixels, { width, height }: Pixels): Mask => ({
  ...{ data: fittedMask(drawn, { width, height }), width, height },
});

/** Throws `invalid_input` for one that leaves nothing to do or nothing to fill from. */
function checkMask({ data }: Mask): void {
  if (!data.includes(1)) throw wrongMask("shows nothing to take away: it has no pixel that is at least half white");
  if (!data.includes(0)) throw wrongMask("covers the whole picture, so that nothing is left to fill from");
}

function wrongMask(why: string): ForecourtError {
  const problem = { loc: ["body", "mask_url"], msg: `The mask ${why}`, type: "value_error" };
  return new ForecourtError("invalid_input", `mask_url: the mask ${why}`, { problems: [problem] });
}
