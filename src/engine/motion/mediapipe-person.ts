// MediaPipe's detector of people: for each the middle of the hips and a point above that tells size and turn.
import { invariant } from "../../core/errors.ts";
import type { Graph, Pixels } from "../../core/pipeline.ts";
import { parse, Type } from "../../core/schema.ts";
import { type Candidate, candidatesOf } from "../onnx/boxes/candidates.ts";
import { boxesFields } from "../onnx/boxes/declaration.ts";
import { overlap } from "../onnx/boxes/suppress.ts";
import { requirePort, tensorOf } from "../tensor/tensor.ts";
import { type Square, seenIn, squareAround, toPicture, wholeOf } from "./turned-square.ts";

const EDGE = 224;
/** Of two boxes' union, what they have in common if they are of one person: MediaPipe's own for poses. */
const SAME = 0.3;
const MOST_PEOPLE = 20;

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
    const whole = wholeOf(picture);
    const values = asPlanes(seenIn(picture, whole, EDGE), isPlanes);
    const shape = isPlanes ? [1, 3, EDGE, EDGE] : [1, EDGE, EDGE, 3];
    const tensors = await graph.run({ [input.name]: tensorOf(input.dtype, shape, values) });
    const found = candidatesOf(coding, { tensors, seen: { width: EDGE, height: EDGE }, threshold });
    return merged(found).flatMap(([hips, end]) => {
      if (!hips || !end) return [];
      const [middle, above] = [hips, end].map(({ x, y }) => toPicture(whole, { x: x / EDGE, y: y / EDGE }));
      return middle && above ? [squareAround(middle, above)] : [];
    });
  };
}

/** From -1 to 1; what lies beyond the picture is black. */
function asPlanes(seen: Float32Array, isPlanes: boolean): Float32Array {
  if (!isPlanes) return seen.map((value) => value * 2 - 1);
  const area = seen.length / 3;
  return seen.map((_, i) => (seen[(i % area) * 3 + Math.floor(i / area)] ?? 0) * 2 - 1);
}

/** Of boxes that lie on each other, the points of all of them, each weighed by its score: MediaPipe's suppression, surest first. */
function merged(candidates: readonly Candidate[]): { x: number; y: number }[][] {
  let left = candidates.toSorted((a, b) => b.score - a.score);
  const people: { x: number; y: number }[][] = [];
  for (let [best] = left; best !== undefined && people.length < MOST_PEOPLE; [best] = left) {
    const top = best;
    const same = left.filter((each) => each === top || overlap(top, each) > SAME);
    left = left.filter((each) => !same.includes(each));
    const sum = same.reduce((all, { score }) => all + score, 0);
    const mean = (point: number, axis: "x" | "y") =>
      same.reduce((all, { points, score }) => all + (points[point]?.[axis] ?? 0) * score, 0) / sum;
    people.push(top.points.map((_, point) => ({ x: mean(point, "x"), y: mean(point, "y") })));
  }
  return people;
}

export const isMediapipePerson = ({ outputs }: Graph) =>
  [12, 1].every((last) => outputs.some(({ shape }) => shape.at(-1) === last && shape.length === 3));
