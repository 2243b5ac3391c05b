// PP-OCR's reader of lines: the picture of one line in, its text out.
import type { Assets, Pixels } from "../../core/pipeline.ts";
import { toPlanes } from "../onnx/inputs/planes.ts";
import { linesOf } from "../onnx/labels.ts";
import { crop } from "../tensor/crop.ts";
import { resize } from "../tensor/resize.ts";
import { requirePort, tensorOf } from "../tensor/tensor.ts";
import { ctcDecode, type Line } from "../text/ctc.ts";

type Paths = { graph: string; alphabet: string };

/** What the network was trained on: shorter lines are filled up to this. */
const SHORTEST_SHARE = 10;
const USUAL_HEIGHT = 32;
/** The fill is 0 to the network. */
const FILL = 127;
const LOOK = { channels: "bgr", layout: "nchw", scale: 1 / 255, mean: [0.5], deviation: [0.5] } as const;

export async function loadReader(assets: Assets, paths: Paths): Promise<(line: Pixels) => Promise<Line>> {
  const graph = await assets.graph(paths.graph);
  const letters = linesOf(await assets.text(paths.alphabet));
  const input = requirePort(graph.inputs, { names: ["x"], of: "line reader" });
  const output = requirePort(graph.outputs, {
    names: ["save_infer_model/scale_0.tmp_1", "softmax_5.tmp_0"],
    of: "line reader",
  });
  const fixed = input.shape.at(-2);
  const height = typeof fixed === "number" ? fixed : USUAL_HEIGHT;
  return async (line) => {
    const width = Math.max(1, Math.ceil((line.width * height) / line.height));
    const narrow = resize(line, { width, height, kernel: "bilinear" });
    const filled = crop(narrow, { left: 0, top: 0, width: Math.max(width, height * SHORTEST_SHARE), height }, FILL);
    const { values } = toPlanes(filled, LOOK);
    const results = await graph.run({ [input.name]: tensorOf(input.dtype, [1, 3, height, filled.width], values) });
    const found = results[output.name];
    if (!found) throw new RangeError(`a run of the graph gives its output ${output.name}`);
    // A class more than the alphabet and the blank is the space.
    const classes = found.shape.at(-1) ?? 0;
    const alphabet = classes > letters.length + 1 ? [...letters, " "] : letters;
    const [read = { text: "", score: 0 }] = ctcDecode(found, { alphabet, blank: 0 });
    return read;
  };
}
