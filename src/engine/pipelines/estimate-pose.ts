// How people in a picture stand: the points of their bodies, and their skeletons in OpenPose's colours. Fields are those of
// fal-ai/dwpose and some more.
import { ForecourtError } from "../../core/errors.ts";
import { definePipeline } from "../../core/pipeline.ts";
import { choice, Type } from "../../core/schema.ts";
import { wrongField } from "../../core/wrong-field.ts";
import { pictureField, pictureUrl, readImageUrl, savedFields, saverOf } from "../media/picture.ts";
import { createPause } from "../pause.ts";
import { BODY_POINTS, type Box } from "../pose/people.ts";
import { loadPoseModel } from "../pose/pose-model.ts";
import { blackOf, DRAW_MODES, type DrawMode, drawPeople, isOfBodyAlone, SURE } from "../pose/skeleton.ts";
import { rgbOf } from "../tensor/pixels.ts";

const pixel = (description: string) => Type.Number({ description });

const input = Type.Object({
  image_url: pictureUrl,
  box_prompts: Type.Array(
    Type.Object({
      x_min: pixel("Left edge, in pixels."),
      ...{ y_min: pixel("Top edge."), x_max: pixel("Right edge."), y_max: pixel("Bottom edge.") },
    }),
    {
      ...{ default: [], maxItems: 64 },
      description:
        "Boxes around people, where they are known. Else the model's detector finds them; one without a detector takes the whole picture for one person.",
    },
  ),
  score_threshold: Type.Number({
    ...{ default: SURE, minimum: 0, maximum: 1 },
    description: "People that were found with less are dropped.",
  }),
  keypoint_threshold: Type.Number({
    ...{ default: SURE, minimum: 0, maximum: 1 },
    description: "Points with less are not drawn.",
  }),
  draw_mode: choice(DRAW_MODES, {
    default: "body-pose",
    description:
      "What is drawn: skeletons, the points of faces and hands, or white where these are. Faces and hands need a model that finds their points.",
  }),
  draw_on_image: Type.Boolean({ default: false, description: "Draw over the picture, not on black." }),
  ...savedFields(),
});

const keypoint = Type.Object({
  name: Type.String(),
  x: Type.Number({ description: "In pixels of the picture; may lie beyond its edges." }),
  y: Type.Number(),
  score: Type.Number({ description: "How sure the model is, about 0 to 1." }),
});

const person = Type.Object({
  box: Type.Object(
    { x: Type.Number(), y: Type.Number(), w: Type.Number(), h: Type.Number() },
    { description: "Its upper left corner and its size, in pixels." },
  ),
  score: Type.Number({ description: "How sure the box is; 1 where it was given or is the whole picture." }),
  keypoints: Type.Array(keypoint, {
    description: "COCO's 17, or COCO-WholeBody's 133; left and right are the person's own.",
  }),
});

const output = Type.Object({
  image: { ...pictureField, description: "Skeletons in the picture's size, as ControlNets for poses want them." },
  people: Type.Array(person, { description: "Best first, or in the order of the boxes given." }),
});

export const estimatePose = definePipeline({
  summary: "Finds the points of people's bodies and draws their skeletons.",
  counts: ["images"],
  input,
  output,
  estimate: () => ({ requests: 1, images: 1 }),
  async load(assets) {
    const model = await loadPoseModel(assets);
    return async function* (tasks, signal) {
      for (const [index, task] of tasks.entries()) {
        signal.throwIfAborted();
        const { box_prompts, score_threshold: threshold, keypoint_threshold, draw_mode: mode } = task.input;
        checkMode(mode, model.names);
        const boxes = box_prompts.map(boxOf);
        const picture = await readImageUrl(task, assets.codec);
        const found = await model.find(picture, { boxes, threshold, signal });
        const ground = task.input.draw_on_image ? await rgbOf(picture, createPause(signal)) : blackOf(picture);
        const drawn = drawPeople(ground, found, { mode, threshold: keypoint_threshold });
        const image = await saverOf(task, assets.codec)(drawn, "image");
        const people = found.map(({ points, ...rest }) => ({
          ...rest,
          keypoints: points.map((point, at) => ({ name: model.names[at] ?? String(at), ...point })),
        }));
        yield { index, step: { type: "output", value: { image, people }, units: { requests: 1, images: 1 } } };
      }
    };
  },
});

function checkMode(mode: DrawMode, names: readonly string[]): void {
  if (isOfBodyAlone(mode) || names.length > BODY_POINTS) return;
  const msg = `This model finds ${names.length} points of bodies and none of faces and hands: send body-pose`;
  throw wrongField("draw_mode", msg);
}

type GivenBox = { x_min: number; y_min: number; x_max: number; y_max: number };

function boxOf({ x_min: x, y_min: y, x_max: right, y_max: bottom }: GivenBox, at: number): Box {
  if (x < right && y < bottom) return { x, y, w: right - x, h: bottom - y };
  const problem = { loc: ["body", "box_prompts", at], msg: "This is empty", type: "value_error" };
  throw new ForecourtError("invalid_input", `box_prompts.${at} is empty`, { problems: [problem] });
}
