// RTMPose and DWPose: for each point of one person, how likely each place along both edges is (SimCC, Li et al., ECCV 2022), read as
// mmpose's codec does.
import { invariant } from "../../core/errors.ts";
import type { Graph, Pixels } from "../../core/pipeline.ts";
import type { Port, Tensor } from "../../core/tensor.ts";
import { toPlanes } from "../onnx/inputs/planes.ts";
import { fixedSize } from "../onnx/ports.ts";
import { requirePort, tensorOf, toFloats } from "../tensor/tensor.ts";
import type { PointFinder } from "./finder.ts";
import type { Box, Keypoint } from "./people.ts";
import { frameOf, seenOf } from "./person-crop.ts";

/** mmpose's PoseDataPreprocessor; of RGB values from 0 to 255. */
const NORMALISED = { scale: 1, mean: [123.675, 116.28, 103.53], deviation: [58.395, 57.12, 57.375] };
/** Of RTMPose for bodies, where the graph leaves it free. */
const SIZE = { width: 192, height: 256 };

const [ACROSS, DOWN] = ["simcc_x", "simcc_y"];

export const hasSimcc = ({ outputs }: Graph) =>
  [ACROSS, DOWN].every((wanted) => outputs.some(({ name }) => name === wanted));

export function simccFinder(graph: Graph): PointFinder {
  const of = "pose model";
  const across = requirePort(graph.outputs, { names: [ACROSS], of });
  const down = requirePort(graph.outputs, { names: [DOWN], of });
  const look = simccLook(graph, { across, down });
  return { points: across.shape[1], find: async (picture, box) => (await look(picture, box)).points };
}

type Looked = {
  points: Keypoint[];
  /** Of the graph, for what else it says of the points. */
  results: Record<string, Tensor>;
};

/** Looks at the person in a box; the outputs are those for the places along both edges. */
export function simccLook(graph: Graph, { across, down }: { across: Port; down: Port }) {
  const input = requirePort(graph.inputs, { names: ["input"], of: "pose model" });
  const size = fixedSize(input) ?? SIZE;
  return async (picture: Pixels, box: Box): Promise<Looked> => {
    const frame = frameOf(box, size);
    const [x, y] = [
      { begin: frame.x, step: frame.w / size.width },
      { begin: frame.y, step: frame.h / size.height },
    ];
    const seen = seenOf(picture, { across: x, down: y, size });
    const { values } = toPlanes(seen, { channels: "rgb", layout: "nchw", ...NORMALISED });
    const results = await graph.run({
      [input.name]: tensorOf(input.dtype, [1, 3, size.height, size.width], values),
    });
    const rows = peaksOf(results[down.name]);
    // Places are finer than pixels, as often as there are more of them.
    const points = peaksOf(results[across.name]).map(({ place, score, places }, i) => {
      const row = rows[i] ?? { place: 0, score: 0, places: 1 };
      return {
        x: frame.x + (place * frame.w) / places,
        y: frame.y + (row.place * frame.h) / row.places,
        score: Math.min(score, row.score),
      };
    });
    return { points, results };
  };
}

/** Of each point; the first of equals, as NumPy's argmax. */
export function peaksOf(tensor: Tensor | undefined): { place: number; score: number; places: number }[] {
  invariant(tensor, "a graph gives each of its outputs");
  const [points = 0, places = 1] = tensor.shape.slice(-2);
  const values = toFloats(tensor);
  return Array.from({ length: points }, (_, point) => {
    const line = values.subarray(point * places, (point + 1) * places);
    const place = line.reduce((best, value, i) => (value > (line[best] ?? 0) ? i : best), 0);
    return { place, score: line[place] ?? 0, places };
  });
}
