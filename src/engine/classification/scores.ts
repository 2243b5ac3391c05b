// From the numbers of a classifier to its classes, as transformers' pipeline text-classification does it.
import { type Activation, sigmoid } from "../onnx/activation.ts";
import { labelOf } from "../onnx/labels.ts";
import { softmax } from "../tensor/softmax.ts";
import type { Classes } from "./classify-fields.ts";

/** Of config.json; null and absent mean the same. */
export type ClassifierConfig = { problem_type?: string | null; id2label?: Record<string, string> };

/** What is done where the request does not say, by the kind of problem, else by the number of classes. */
export function usualFunction({ problem_type: type }: ClassifierConfig, classes: number): Activation {
  if (type === "regression") return "none";
  return type === "multi_label_classification" || classes === 1 ? "sigmoid" : "softmax";
}

/** The likeliest first; a class without a name is known as in transformers. */
export function classesOf(logits: readonly number[], labels: readonly string[], activation: Activation): Classes {
  const scores = activation === "softmax" ? softmax(logits) : activation === "sigmoid" ? logits.map(sigmoid) : logits;
  return scores.map((score, i) => ({ label: labelOf(labels, i), score })).toSorted((a, b) => b.score - a.score);
}
