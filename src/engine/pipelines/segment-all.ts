// All masks of a picture, with SAM or SAM 2 and a grid of points. Fields are those of fal-ai/sam2/auto-segment (fal-protocol.md 12).
import { definePipeline } from "../../core/pipeline.ts";
import { Type } from "../../core/schema.ts";
import { pictureField, pictureUrl, readImageUrl, savedFields, saverOf } from "../media/picture.ts";
import { createPause } from "../pause.ts";
import { everyMask } from "../segmentation/every-mask.ts";
import { colouredMasks, maskPicture } from "../segmentation/mask-picture.ts";
import { loadSam } from "../segmentation/sam.ts";

const share = (value: number, description: string) =>
  Type.Number({ default: value, minimum: 0, maximum: 1, description });

const input = Type.Object({
  image_url: pictureUrl,
  points_per_side: Type.Integer({
    ...{ default: 32, minimum: 1, maximum: 64 },
    description: "The picture is asked about at so many points, across and down.",
  }),
  pred_iou_thresh: share(0.88, "Masks that the model believes in less are left out."),
  stability_score_thresh: share(0.95, "Masks are left out of which less remains when they are cut a step higher."),
  min_mask_region_area: Type.Integer({
    ...{ default: 100, minimum: 0 },
    description: "Holes are filled and islands taken away that have fewer pixels.",
  }),
  ...savedFields(),
});

const output = Type.Object({
  combined_mask: pictureField,
  individual_masks: Type.Array(pictureField, { description: "Best first." }),
});

export const segmentAll = definePipeline({
  summary: "Finds the masks of all things in a picture.",
  counts: ["images"],
  input,
  output,
  estimate: () => ({ requests: 1, images: 1 }),
  async load(assets) {
    const sam = await loadSam(assets);
    return async function* (tasks, signal) {
      for (const [index, task] of tasks.entries()) {
        signal.throwIfAborted();
        const wishes = task.input;
        const picture = await readImageUrl(task, assets.codec);
        const pause = createPause(signal);
        const sight = await sam.see(picture, pause);
        const steps = everyMask(
          { sam, sight },
          {
            pointsPerSide: wishes.points_per_side,
            leastScore: wishes.pred_iou_thresh,
            leastStability: wishes.stability_score_thresh,
            smallestRegion: wishes.min_mask_region_area,
            pause,
          },
        );
        let step = await steps.next();
        for (; !step.done; step = await steps.next()) {
          yield { index, step: { type: "progress", ...step.value } };
          signal.throwIfAborted();
        }
        const masks = step.value.map(({ mask }) => mask);
        const save = saverOf(task, assets.codec);
        const individual = [];
        for (const [at, mask] of masks.entries()) individual.push(await save(maskPicture([mask]), `mask-${at + 1}`));
        const value = {
          combined_mask: await save(await colouredMasks(masks, sight.picture, pause), "combined"),
          individual_masks: individual,
        };
        yield { index, step: { type: "output", value, units: { requests: 1, images: 1 } } };
      }
    };
  },
});
