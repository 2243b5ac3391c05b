// YOLO's pose (v8, 11, 26): people and their points in one pass of one graph, read as Ultralytics' predictor does.
import { ForecourtError, invariant } from "../../core/errors.ts";
import type { Graph, Pixels } from "../../core/pipeline.ts";
import { parse, Type } from "../../core/schema.ts";
import type { Port } from "../../core/tensor.ts";
import { wrongField } from "../../core/wrong-field.ts";
import { type Candidate, candidatesOf } from "../onnx/boxes/candidates.ts";
import { type BoxCoding, boxesFields } from "../onnx/boxes/declaration.ts";
import { suppress } from "../onnx/boxes/suppress.ts";
import { fitPicture } from "../onnx/fit-picture.ts";
import { toPlanes } from "../onnx/inputs/planes.ts";
import { fixedSize } from "../onnx/ports.ts";
import type { WholeView } from "../onnx/view.ts";
import { requirePort, tensorOf } from "../tensor/tensor.ts";
import type { PoseModel } from "./finder.ts";
import { boxIn, pointIn } from "./in-picture.ts";
import { BODY_POINTS, type Person, pointNames } from "./people.ts";

/** Where the graph's size is free; edges are multiples of its coarsest stride. */
const [EDGE, STRIDE] = [640, 32];
/** Grey of the borders that make a picture square. */
const BORDER = 114;
/** As Ultralytics' predictor has it, unless told otherwise. */
const SUPPRESSION = { iou: 0.7, max: 300 };

const codingOf = (of: object): BoxCoding =>
  parse(Type.Object(boxesFields), { ...of, keypoints: { numbers: 3, unit: "pixels" } });

/** [1, 56, places]: middle and size, score, points; of one person there are many. */
const RAW = codingOf({
  heads: [{ order: "columns", box: { from: 0 }, scores: { from: 4, count: 1 }, keypoints: { from: 5 } }],
});
/** [1, people, 57]: corners, score, class, points; doubles are gone already (YOLO 26, and exports with `nms=True`). */
const SUPPRESSED = codingOf({
  heads: [{ order: "rows", box: { from: 0 }, scores: { from: 4, count: 1 }, keypoints: { from: 6 } }],
  coding: "corners",
});

/** Throws `misconfigured` for a graph that gives no such numbers. */
export function yoloPose(graph: Graph): PoseModel {
  const of = "pose model";
  const input = requirePort(graph.inputs, { names: ["images", "pixel_values"], of });
  const output = requirePort(graph.outputs, { names: ["output0", "outputs"], of });
  if (output.shape.every((edge) => typeof edge === "number" && edge > 0)) codingBy(output);
  const size = fixedSize(input);
  return {
    names: pointNames(BODY_POINTS),
    async find(picture, { boxes, threshold }) {
      if (boxes.length > 0) throw findsByItself();
      const wish = { ...(size ?? freeSize(picture)), multipleOf: 1, fit: "contain" } as const;
      const { view, pixels } = await fitPicture(picture, wish, { kernel: "bilinear", fill: BORDER });
      const { values } = toPlanes(pixels, {
        ...{ channels: "rgb", layout: "nchw" },
        ...{ scale: 1 / 255, mean: [], deviation: [] },
      });
      const { width, height } = view.seen;
      const results = await graph.run({ [input.name]: tensorOf(input.dtype, [1, 3, height, width], values) });
      const result = results[output.name];
      invariant(result, "a graph gives each of its outputs");
      const coding = codingBy({ name: output.name, shape: result.shape });
      const found = candidatesOf(coding, { tensors: { [output.name]: result }, seen: view.seen, threshold });
      return suppress(found, coding === RAW ? SUPPRESSION : { ...SUPPRESSION, iou: 1 }).map((each) =>
        personOf(each, view),
      );
    },
  };
}

function codingBy({ name, shape }: Pick<Port, "name" | "shape">): BoxCoding {
  if (shape.length === 3 && shape[1] === 5 + 3 * BODY_POINTS) return RAW;
  if (shape.length === 3 && shape[2] === 6 + 3 * BODY_POINTS) return SUPPRESSED;
  throw new ForecourtError(
    "misconfigured",
    `the graph's output ${name} is [${shape.join(", ")}]: a pose model gives heatmaps [people, points, height, width], simcc_x and simcc_y, or people with 17 points as YOLO's pose does, [1, 56, places] or [1, people, 57]`,
  );
}

/** The longer edge is made this long, also of small pictures, and both are filled up to whole strides. */
function freeSize({ width, height }: Pixels): { width: number; height: number } {
  const scale = EDGE / Math.max(width, height);
  const whole = (edge: number) => Math.max(1, Math.ceil(Math.round(edge * scale) / STRIDE)) * STRIDE;
  return { width: whole(width), height: whole(height) };
}

function personOf({ score, points, ...edges }: Candidate, view: WholeView): Person {
  return {
    box: boxIn(view, edges),
    score,
    points: points.map((point) => ({ ...pointIn(view, point), score: point.score ?? 0 })),
  };
}

const findsByItself = () => wrongField("box_prompts", "This model finds people by itself: leave the boxes out");
