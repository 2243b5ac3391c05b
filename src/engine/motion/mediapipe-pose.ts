// MediaPipe's BlazePose: 33 points of one person in a square of the picture, and where they are in metres around the hips.
import { invariant } from "../../core/errors.ts";
import type { Graph, Pixels } from "../../core/pipeline.ts";
import type { Tensor } from "../../core/tensor.ts";
import { sigmoid } from "../onnx/activation.ts";
import { requirePort, tensorOf, toFloats } from "../tensor/tensor.ts";
import { bodyOf } from "./body.ts";
import type { Body, BodyFinder } from "./body-finder.ts";
import type { SquareFinder } from "./mediapipe-person.ts";
import { createOneEuro } from "./one-euro.ts";
import { type Square, seenIn, squareAround, toPicture, wholeOf } from "./turned-square.ts";
import type { Vector } from "./vectors.ts";

const EYE = ["inner", "outer"] as const;
const eye = (side: string) => [`${side}_eye_${EYE[0]}`, `${side}_eye`, `${side}_eye_${EYE[1]}`];
const pairs = (...parts: string[]) => parts.flatMap((part) => [`left_${part}`, `right_${part}`]);

/** In the order of the graph's results; left and right are the person's own. */
const NAMES = [
  ...["nose", ...eye("left"), ...eye("right"), "left_ear", "right_ear", "mouth_left", "mouth_right"],
  ...pairs("shoulder", "elbow", "wrist", "pinky", "index", "thumb"),
  ...pairs("hip", "knee", "ankle", "heel", "foot_index"),
];
/** After these come points that stand for the whole: the middle of the hips, and one that tells size and turn. */
const [MIDDLE, END] = [NAMES.length, NAMES.length + 1];
/** With four more, which are of no use here. */
const POINTS = 39;
/** Of each point in the picture: x, y, z, whether it is seen, whether it is there. */
const NUMBERS = 5;
const EDGE = 256;

/** By the sizes of its results; their names differ between conversions. */
const results = (graph: Graph) => ({
  points: graph.outputs.find(({ shape }) => shape.at(-1) === POINTS * NUMBERS),
  world: graph.outputs.find(({ shape }) => shape.at(-1) === POINTS * 3),
  score: graph.outputs.find(({ shape }) => shape.length === 2 && shape.at(-1) === 1),
  heat: graph.outputs.find(({ shape }) => shape.length === 4 && shape.at(-1) === POINTS),
});

export const isMediapipePose = (graph: Graph) => Object.values(results(graph)).every((port) => port !== undefined);

/** Without `findPeople` the first picture is looked at whole. */
export function mediapipePose(graph: Graph, findPeople: SquareFinder | undefined): BodyFinder {
  const limbs = bodyOf({ index: "index", pinky: "pinky", toe: "foot_index" });
  return {
    ...{ names: NAMES, limbs },
    follow({ threshold }) {
      let known: { square: Square; seconds: number; steady: Steady } | undefined;
      const look = async (picture: Pixels, square: Square, seconds: number): Promise<Body | undefined> => {
        const { body, middle, end } = await bodyIn(graph, picture, square);
        const { steady, seconds: last } = known ?? { steady: createSteady(), seconds };
        known = undefined;
        if (body.score < threshold) return undefined;
        known = { square: steady({ middle, end }, seconds - last), seconds, steady };
        return body;
      };
      return async (picture, seconds) => {
        const followed = known && (await look(picture, known.square, seconds));
        if (followed) return followed;
        const [square] = (await findPeople?.(picture, threshold)) ?? [wholeOf(picture)];
        return square && (await look(picture, square, seconds));
      };
    },
  };
}

/** As MediaPipe's graph follows a person: the square rests while they do, and is where they are when they move. */
const STEADY = { minCutoff: 0.01, beta: 10, isRaw: true };

type Ends = Record<"middle" | "end", { x: number; y: number }>;
type Steady = (ends: Ends, seconds: number) => Square;

function createSteady(): Steady {
  const [x, y, endX, endY] = [STEADY, STEADY, STEADY, STEADY].map(createOneEuro);
  return ({ middle, end }, seconds) => {
    // A person is as large as the square would be that is not made wider.
    const scale = 1 / (2 * Math.hypot(end.x - middle.x, end.y - middle.y));
    const smooth = (filter: typeof x, value: number) => filter?.(value, seconds, scale) ?? value;
    return squareAround(
      { x: smooth(x, middle.x), y: smooth(y, middle.y) },
      { x: smooth(endX, end.x), y: smooth(endY, end.y) },
    );
  };
}

async function bodyIn(graph: Graph, picture: Pixels, square: Square): Promise<Ends & { body: Body }> {
  const ports = results(graph);
  const input = requirePort(graph.inputs, { names: ["input_1", "input"], of: "pose model" });
  const values = seenIn(picture, square, EDGE);
  const found = await graph.run({ [input.name]: tensorOf(input.dtype, [1, EDGE, EDGE, 3], values) });
  const [points, world, score, heat] = [ports.points, ports.world, ports.score, ports.heat].map((port) =>
    floatsOf(found, port?.name),
  );
  invariant(points && world && score && heat, "a graph gives each of its outputs");
  const at = (point: number) => {
    const [x = 0, y = 0] = points.subarray(point * NUMBERS);
    return toPicture(square, refined(heat, point, { x: x / EDGE, y: y / EDGE }));
  };
  const places = NAMES.map((_, point) => upright(world.subarray(point * 3, point * 3 + 3), square.angle));
  const seen = NAMES.map((_, point) => at(point));
  return {
    body: {
      places,
      scores: NAMES.map((_, point) => sigmoid(points[point * NUMBERS + 3] ?? 0)),
      ...{
        score: score[0] ?? 0,
        hips: at(MIDDLE),
        pixelsPerMetre: spread(seen.map(({ x, y }) => [x, y, 0])) / spread(places),
      },
    },
    ...{ middle: at(MIDDLE), end: at(END) },
  };
}

/** Cells along an edge of the heat maps, cells around a point to each side, and how warm one must be at least. */
const [CELLS, AROUND, WARM] = [64, 3, 0.5];

/** Where the heat around a point has its middle (MediaPipe's RefineLandmarksFromHeatmap); in shares of the edges. */
function refined(heat: Float32Array, point: number, place: { x: number; y: number }): { x: number; y: number } {
  const [column, row] = [Math.trunc(place.x * CELLS), Math.trunc(place.y * CELLS)];
  if (column < 0 || row < 0 || column >= CELLS || row >= CELLS) return place;
  let [x, y, sum, most] = [0, 0, 0, 0];
  for (let j = Math.max(0, row - AROUND); j <= Math.min(CELLS - 1, row + AROUND); j++)
    for (let i = Math.max(0, column - AROUND); i <= Math.min(CELLS - 1, column + AROUND); i++) {
      const warm = sigmoid(heat[(j * CELLS + i) * POINTS + point] ?? 0);
      [x, y, sum, most] = [x + i * warm, y + j * warm, sum + warm, Math.max(most, warm)];
    }
  return most >= WARM ? { x: x / sum / CELLS, y: y / sum / CELLS } : place;
}

const floatsOf = (found: Record<string, Tensor>, name = "") => {
  const tensor = found[name];
  return tensor && toFloats(tensor);
};

/** The square's turn undone; the model's y leads down and its z away from the viewer. */
function upright([x = 0, y = 0, z = 0]: Float32Array, angle: number): Vector {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return [x * cos - y * sin, -(x * sin + y * cos), -z];
}

/** How far points lie from their middle, as they are seen. */
function spread(points: readonly Vector[]): number {
  const mean = (axis: 0 | 1) => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  return Math.sqrt(points.reduce((sum, point) => sum + (point[0] - x) ** 2 + (point[1] - y) ** 2, 0)) || 1;
}
