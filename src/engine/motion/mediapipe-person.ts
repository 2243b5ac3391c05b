// MediaPipe's detector of people: for each the middle of the hips and a point above that tells size and turn.
import { invariant } from "../../core/errors.ts";
import type { Graph, Pixels } from "../../core/pipeline.ts";
import { parse, Type } from "../../core/schema.ts";
import { candidatesOf } from "../onnx/boxes/candidates.ts";
import { boxesFields } from "../onnx/boxes/declaration.ts";
import { suppress } from "../onnx/boxes/suppress.ts";
import { fitPicture } from "../onnx/fit-picture.ts";
import { toPlanes } from "../onnx/inputs/planes.ts";
import { toPicture } from "../onnx/view.ts";
import { requirePort, tensorOf } from "../tensor/tensor.ts";
import { type Square, squareAround } from "./turned-square.ts";

const EDGE = 224;
/** Of two boxes; MediaPipe's own for poses. */
const SUPPRESSION = { iou: 0.3, max: 20 };

/** Two boxes for each cell of 8, two of 16, six of 32, around the cell's middle: middle, size and four points, in pixels. */
const codingOf = (numbers: string, scores: string) =>
  parse(Type.Object(boxesFields), {
    heads: [
      {
        ...{ box: { tensor: numbers }, keypoints: { tensor: numbers, from: 4 }, scores: { tensor: scores } },
        grids: [
          { stride: 8, perCell: 2, offset: 0.5 },
          { stride: 16, perCell: 2, offset: 0.5 },
          { stride: 32, perCell: 6, offset: 0.5 },
        ],
      },
    ],
    score: { activation: "sigmoid" },
  });

/** People of at least that score, the surest first, as the squares in which the pose model is to look. */
export type SquareFinder = (picture: Pixels, threshold: number) => Promise<Square[]>;

/** Graphs that want colours in planes and those that want them in pixels, by their input. */
export function mediapipePerson(graph: Graph): SquareFinder {
  const input = requirePort(graph.inputs, { names: ["input_1", "input"], of: "person detector" });
  const isPlanes = input.shape[1] === 3;
  const [numbers, scores] = [12, 1].map((last) => graph.outputs.find(({ shape }) => shape.at(-1) === last));
  invariant(numbers && scores, "a detector is told by these outputs");
  const coding = codingOf(numbers.name, scores.name);
  return async (picture, threshold) => {
    const wish = { width: EDGE, height: EDGE, multipleOf: 1, fit: "contain" } as const;
    const { view, pixels } = await fitPicture(picture, wish, { kernel: "bilinear", fill: 0 });
    const layout = isPlanes ? "nchw" : "nhwc";
    // From -1 to 1; borders are black, which is -1 as well.
    const { values } = toPlanes(pixels, { channels: "rgb", layout, scale: 2 / 255, mean: [1], deviation: [] });
    const shape = isPlanes ? [1, 3, EDGE, EDGE] : [1, EDGE, EDGE, 3];
    const tensors = await graph.run({ [input.name]: tensorOf(input.dtype, shape, values) });
    const found = suppress(candidatesOf(coding, { tensors, seen: view.seen, threshold }), SUPPRESSION);
    return found.flatMap(({ points: [hips, end] }) => {
      if (!hips || !end) return [];
      return [squareAround(toPicture(view, hips.x, hips.y), toPicture(view, end.x, end.y))];
    });
  };
}

export const isMediapipePerson = ({ outputs }: Graph) =>
  [12, 1].every((last) => outputs.some(({ shape }) => shape.at(-1) === last && shape.length === 3));
