// Connectionist temporal classification, read greedily: from a share for each sign at each place to a text.
import type { Tensor } from "../../core/tensor.ts";
import { toFloats } from "../tensor/tensor.ts";

export type Line = { text: string /** Mean share of the signs that were kept; 0 for an empty text. */; score: number };

type Signs = {
  /** By class, the blank left out. */
  alphabet: readonly string[];
  blank: number;
};

/** [lines, places, classes]; the scores are shares already (softmax done). */
export function ctcDecode(tensor: Tensor, signs: Signs): Line[] {
  const [lines = 1, places = 1, classes = 1] = tensor.shape;
  const values = toFloats(tensor);
  return Array.from({ length: lines }, (_, line) =>
    readLine(values.subarray(line * places * classes, (line + 1) * places * classes), classes, signs),
  );
}

function readLine(values: Float32Array, classes: number, { alphabet, blank }: Signs): Line {
  let [text, sum, count, before] = ["", 0, 0, blank];
  for (let at = 0; at + classes <= values.length; at += classes) {
    const shares = values.subarray(at, at + classes);
    const best = shares.reduce((best, share, i) => (share > (shares[best] ?? 0) ? i : best), 0);
    if (best !== blank && best !== before) {
      text += alphabet[best > blank ? best - 1 : best] ?? "";
      sum += shares[best] ?? 0;
      count++;
    }
    before = best;
  }
  return { text, score: count > 0 ? sum / count : 0 };
}
