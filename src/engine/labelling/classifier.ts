// A classifier of pictures in transformers.js' layout (ViT and all others that end with one score for each class).
import { invariant } from "../../core/errors.ts";
import type { Assets, Pixels } from "../../core/pipeline.ts";
import { labelOf, readLabels } from "../onnx/labels.ts";
import { sharesOf } from "../onnx/outputs/classes.ts";
import { requirePort, toFloats } from "../tensor/tensor.ts";
import { pictureTensor } from "../vision/picture-tensor.ts";
import type { PreprocessorConfig } from "../vision/preprocess.ts";

/** A share from 0 to 1: of one, or each by itself where a picture may be several things. */
export type Named = { label: string; score: number };

export type Classifier = {
  labels: readonly string[];
  /** All classes, the likeliest first. */
  classify(picture: Pixels): Promise<Named[]>;
};

type Config = { problem_type?: string };

export async function loadClassifier(assets: Assets): Promise<Classifier> {
  const processor = await assets.json<PreprocessorConfig>("preprocessor_config.json");
  const { problem_type: kind } = await assets.json<Config>("config.json");
  const labels = await readLabels("config.json", assets);
  const graph = await assets.graph("onnx/model.onnx");
  const input = requirePort(graph.inputs, { names: ["pixel_values"], of: "classifier" });
  const logits = requirePort(graph.outputs, { names: ["logits"], of: "classifier" });
  const activation = kind === "multi_label_classification" ? "sigmoid" : "softmax";
  return {
    labels,
    async classify(picture) {
      const results = await graph.run({ [input.name]: await pictureTensor(input, [picture], processor) });
      const found = results[logits.name];
      invariant(found, "a graph gives each of its outputs");
      return sharesOf(Array.from(toFloats(found)), { activation })
        .map((score, i) => ({ label: labelOf(labels, i), score }))
        .toSorted((a, b) => b.score - a.score);
    },
  };
}
