// Cuts out the things that points and boxes show, with SAM or SAM 2. Fields are those of fal-ai/sam2/image (fal-protocol.md 12).
import { ForecourtError } from "../../core/errors.ts";
import { definePipeline, type Pixels } from "../../core/pipeline.ts";
import { type Static, Type } from "../../core/schema.ts";
import { pictureField, pictureUrl, readImageUrl, savedFields, saverOf } from "../media/picture.ts";
import { createPause, type Pause } from "../pause.ts";
import { cut } from "../segmentation/enlarged-mask.ts";
import { maskPicture, onlyMasked } from "../segmentation/mask-picture.ts";
import { promptsOf } from "../segmentation/prompts.ts";
import type { Runs } from "../segmentation/runs.ts";
import { loadSam, type Prompt, type Sam, type Sight } from "../segmentation/sam.ts";

const objectId = Type.Optional(
  Type.Integer({ description: "Which thing it belongs to. Points without one belong together; each box is a thing." }),
);
const frame = Type.Integer({ default: 0, minimum: 0, maximum: 0, description: "For videos; of a picture always 0." });
const pixel = (description: string) => Type.Number({ minimum: 0, description });

const input = Type.Object({
  image_url: pictureUrl,
  prompts: Type.Array(
    Type.Object({
      ...{ x: pixel("Pixels from the left."), y: pixel("Pixels from the top.") },
      label: Type.Union([Type.Integer({ minimum: 0, maximum: 1 }), Type.Literal("0"), Type.Literal("1")], {
        default: 1,
        description: "1: of the thing; 0: not of it. As text too.",
      }),
      ...{ frame_index: frame, object_id: objectId },
    }),
    { default: [], maxItems: 256, description: "Points of things, and beside them." },
  ),
  box_prompts: Type.Array(
    Type.Object({
      ...{
        x_min: pixel("Left edge."),
        y_min: pixel("Top edge."),
        x_max: pixel("Right edge."),
        y_max: pixel("Bottom edge."),
      },
      ...{ frame_index: frame, object_id: objectId },
    }),
    { default: [], maxItems: 64, description: "Boxes around things." },
  ),
  apply_mask: Type.Boolean({
    default: false,
    description: "Give the picture with all else taken away (transparent; black as JPEG) in place of the mask.",
  }),
  return_multiple_masks: Type.Boolean({ default: false, description: "Give each thing's mask too, as `masks`." }),
  ...savedFields(),
});

const output = Type.Object({
  image: pictureField,
  scores: Type.Array(Type.Number(), { description: "How good the model believes each thing's mask to be, 0 to 1." }),
  masks: Type.Optional(Type.Array(pictureField)),
});

export const segmentImage = definePipeline({
  summary: "Cuts out the things that points and boxes show.",
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
        const asked = promptsOf(wishes, sam.takesBoxes);
        const picture = await readImageUrl(task, assets.codec);
        checkInside(picture, wishes);
        const pause = createPause(signal);
        const things = await masksOf(sam, await sam.see(picture, pause), asked, pause);
        const save = saverOf(task, assets.codec);
        const all = maskPicture(things.map(({ mask }) => mask));
        const isTransparent = wishes.output_format !== "jpeg";
        const image = await save(
          wishes.apply_mask ? await onlyMasked(picture, all, { isTransparent, pause }) : all,
          "image",
        );
        const masks = [];
        for (const [at, { mask }] of things.entries())
          if (wishes.return_multiple_masks) masks.push(await save(maskPicture([mask]), `mask-${at + 1}`));
        const value = {
          ...{ image, scores: things.map(({ score }) => score) },
          ...(wishes.return_multiple_masks && { masks }),
        };
        yield { index, step: { type: "output", value, units: { requests: 1, images: 1 } } };
      }
    };
  },
});

/** Of each thing the proposal that the model believes in most. */
async function masksOf(sam: Sam, sight: Sight, asked: readonly Prompt[], pause: Pause) {
  const things: { mask: Runs; score: number }[] = [];
  for (const prompt of asked) {
    await pause();
    const [proposals] = await sam.propose(sight, [prompt]);
    if (!proposals) throw new RangeError("a prompt has its proposals");
    const score = Math.max(...proposals.scores);
    things.push({ mask: cut(proposals.logits(proposals.scores.indexOf(score))).runs, score });
  }
  return things;
}

type Places = Pick<Static<typeof input>, "prompts" | "box_prompts">;

function checkInside({ width, height }: Pixels, { prompts, box_prompts }: Places): void {
  for (const [at, { x, y }] of prompts.entries())
    if (x > width || y > height)
      throw outside(["prompts", at], `lies outside of the picture of ${width}x${height} pixels`);
  for (const [at, box] of box_prompts.entries()) {
    if (box.x_min >= box.x_max || box.y_min >= box.y_max) throw outside(["box_prompts", at], "is empty");
    if (box.x_max > width || box.y_max > height)
      throw outside(["box_prompts", at], `lies outside of the picture of ${width}x${height} pixels`);
  }
}

function outside(way: (string | number)[], why: string): ForecourtError {
  const problem = { loc: ["body", ...way], msg: `This ${why}`, type: "value_error" };
  return new ForecourtError("invalid_input", `${way.join(".")} ${why}`, { problems: [problem] });
}
