// A detector of things in transformers.js' layout: DETR and its kin, which give a fixed number of boxes and need no suppression.
import { invariant } from "../../core/errors.ts";
import type { Assets, Pixels } from "../../core/pipeline.ts";
import type { Port, Tensor } from "../../core/tensor.ts";
import { sigmoid } from "../onnx/activation.ts";
import { labelOf, readLabels } from "../onnx/labels.ts";
import { softmax } from "../tensor/softmax.ts";
import { requirePort, sizeOf, tensorOf, toFloats } from "../tensor/tensor.ts";
import { pictureTensor } from "../vision/picture-tensor.ts";
import type { PreprocessorConfig } from "../vision/preprocess.ts";

/** `x` and `y` are the upper left corner; all in pixels of the picture. */
export type Detected = { x: number; y: number; w: number; h: number; label: string; score: number };

export type Detector = {
  /** Names of what it finds. */
  labels: readonly string[];
  /** Boxes whose score is above the threshold, best first. */
  detect(picture: Pixels, threshold: number): Promise<Detected[]>;
};

export async function loadDetector(assets: Assets): Promise<Detector> {
  const { model_type: type } = await assets.json<{ model_type?: string }>("config.json");
  const given = await assets.json<PreprocessorConfig>("preprocessor_config.json");
  const processor = type === "yolos" ? { ...given, size_divisor: YOLOS_PATCH } : given;
  const labels = await readLabels("config.json", assets);
  const graph = await assets.graph("onnx/model.onnx");
  const of = "detector";
  const input = requirePort(graph.inputs, { names: ["pixel_values"], of });
  const mask = graph.inputs.find(({ name }) => name === "pixel_mask");
  const logits = requirePort(graph.outputs, { names: ["logits"], of });
  const boxes = requirePort(graph.outputs, { names: ["pred_boxes"], of });
  const read = (results: Record<string, Tensor>, { name }: Port) => {
    const tensor = results[name];
    invariant(tensor, "a graph gives each of its outputs");
    return tensor;
  };
  return {
    labels,
    async detect(picture, threshold) {
      const seen = await pictureTensor(input, [picture], processor);
      const [, , height = 1, width = 1] = seen.shape;
      const results = await graph.run({
        [input.name]: seen,
        ...(mask && { [mask.name]: wholeMask(mask, { width, height }) }),
      });
      const scores = read(results, logits);
      const corners = toFloats(read(results, boxes));
      return scoresOf(toFloats(scores), { classes: scores.shape.at(-1) ?? 1, named: labels.length })
        .filter(({ score }) => score > threshold)
        .toSorted((a, b) => b.score - a.score)
        .map(({ query, label, score }) => ({
          ...inPicture(corners.subarray(query * 4, query * 4 + 4), picture),
          label: labelOf(labels, label),
          score,
        }));
    },
  };
}

/** YOLOS' processor cuts edges down to whole patches, which its config does not say (transformers). */
const YOLOS_PATCH = 16;

/** All of the picture counts. Some graphs were exported with a mask of one size, which they stretch. */
function wholeMask({ dtype, shape }: Port, { width, height }: { width: number; height: number }): Tensor {
  const edge = (at: number, free: number) => {
    const fixed = shape.at(at);
    return typeof fixed === "number" && fixed > 0 ? fixed : free;
  };
  const size = [1, edge(-2, height), edge(-1, width)];
  return tensorOf(dtype, size, new Array<number>(sizeOf(size)).fill(1));
}

type Scored = { query: number; label: number; score: number };

/**
 * One class more than there are names: the last stands for nothing, and each query is at most one thing (DETR, YOLOS).
 * Else each class is a question of its own, and as many answers count as there are queries (RT-DETR, D-FINE, Deformable DETR).
 */
function scoresOf(logits: Float32Array, { classes, named }: { classes: number; named: number }): Scored[] {
  const queries = logits.length / classes;
  if (classes > named)
    return Array.from({ length: queries }, (_, query) => {
      const shares = softmax(Array.from(logits.subarray(query * classes, (query + 1) * classes))).slice(0, -1);
      const label = shares.reduce((best, share, i) => (share > (shares[best] ?? 0) ? i : best), 0);
      return { query, label, score: shares[label] ?? 0 };
    });
  return Array.from(logits, (logit, i) => ({
    query: Math.floor(i / classes),
    label: i % classes,
    score: sigmoid(logit),
  }))
    .toSorted((a, b) => b.score - a.score)
    .slice(0, queries);
}

/** Centre and size as shares of the edges; what reaches beyond the picture is cut. */
function inPicture([cx = 0, cy = 0, across = 0, down = 0]: Float32Array, { width, height }: Pixels) {
  const clamp = (share: number, edge: number) => Math.min(1, Math.max(0, share)) * edge;
  const [x, y] = [clamp(cx - across / 2, width), clamp(cy - down / 2, height)];
  return { x, y, w: clamp(cx + across / 2, width) - x, h: clamp(cy + down / 2, height) - y };
}
