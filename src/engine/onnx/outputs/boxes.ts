// What is where in a picture: boxes with names and scores, in fal's shape of detections, and their points if any.
import { type Static, Type } from "../../../core/schema.ts";
import { detectionFields } from "../../vision/detection-fields.ts";
import { type Candidate, candidatesOf } from "../boxes/candidates.ts";
import { boxesFields } from "../boxes/declaration.ts";
import { suppress } from "../boxes/suppress.ts";
import { declare, defineOutput } from "../kinds.ts";
import { labelOf, labelsField, readLabels } from "../labels.ts";
import { outputPort } from "../ports.ts";
import { toPicture, type WholeView, wholeView } from "../view.ts";

const declared = declare("boxes", {
  ...boxesFields,
  labels: labelsField,
  threshold: Type.Number({
    minimum: 0,
    maximum: 1,
    default: 0.25,
    description: "Lowest score, unless the request says so",
  }),
  iou: Type.Number({
    minimum: 0,
    maximum: 1,
    default: 0.45,
    description:
      "Boxes of one class that share more than this are one, unless the request says so; 1 for graphs that have done this themselves",
  }),
  max: Type.Integer({ minimum: 1, default: 100, description: "How many boxes are given at most" }),
});

type BoxesOutput = Static<typeof declared>;

const point = Type.Object({
  x: Type.Number(),
  y: Type.Number(),
  score: Type.Optional(Type.Number()),
  name: Type.Optional(Type.String()),
});

export const boxes = defineOutput({
  declared,
  seesWhole: true,
  fields: (name, { heads }) => ({
    [name]: Type.Object({
      bboxes: Type.Array(
        Type.Object({
          ...detectionFields,
          ...(heads.some(({ keypoints }) => keypoints) && { keypoints: Type.Array(point) }),
        }),
        { description: "Best first." },
      ),
    }),
  }),
  options: ({ threshold, iou }) => ({
    score_threshold: Type.Number({ minimum: 0, maximum: 1, default: threshold, description: "Lowest score of a box." }),
    iou_threshold: Type.Number({
      minimum: 0,
      maximum: 1,
      default: iou,
      description: "Boxes of one class that share more of their area than this are one.",
    }),
  }),
  async open(declaration, { name, graph, assets }) {
    for (const { box, scores, objectness, keypoints } of declaration.heads)
      for (const slice of [box, scores, objectness, keypoints])
        if (slice) outputPort(graph, { name: slice.tensor, for: name });
    const labels = await readLabels(declaration.labels, assets);
    return async ({ results, view, options }) => {
      const whole = wholeView(view, name);
      const threshold = Number(options.score_threshold);
      const candidates = candidatesOf(declaration, { tensors: results[0] ?? {}, seen: whole.seen, threshold });
      const kept = suppress(candidates, { iou: Number(options.iou_threshold), max: declaration.max });
      return { [name]: { bboxes: kept.map((each) => inPicture(each, { whole, labels, declaration })) } };
    };
  },
});

type Frame = { whole: WholeView; labels: readonly string[]; declaration: BoxesOutput };

function inPicture(
  { left, top, right, bottom, label, score, points }: Candidate,
  { whole, labels, declaration }: Frame,
) {
  const inside = (x: number, y: number) => {
    const at = toPicture(whole, x, y);
    return { x: clamp(at.x, whole.picture.width), y: clamp(at.y, whole.picture.height) };
  };
  const [from, to] = [inside(left, top), inside(right, bottom)];
  const names = declaration.keypoints.names;
  const keypoints = points.map((each, i) => ({
    ...toPicture(whole, each.x, each.y),
    ...(each.score !== undefined && { score: each.score }),
    ...(names[i] !== undefined && { name: names[i] }),
  }));
  return {
    ...from,
    w: to.x - from.x,
    h: to.y - from.y,
    label: labelOf(labels, label),
    score,
    ...(declaration.heads.some((head) => head.keypoints) && { keypoints }),
  };
}

const clamp = (value: number, edge: number) => Math.min(edge, Math.max(0, value));
