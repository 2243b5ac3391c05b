// Which classes a picture, sound or text belongs to, the likeliest first.
import { ForecourtError } from "../../../core/errors.ts";
import { type Static, Type } from "../../../core/schema.ts";
import type { Port } from "../../../core/tensor.ts";
import { softmax } from "../../tensor/softmax.ts";
import { toFloats } from "../../tensor/tensor.ts";
import { activationField, sigmoid } from "../activation.ts";
import { declare, defineOutput, tensorName } from "../kinds.ts";
import { labelOf, labelsField, readLabels } from "../labels.ts";
import { outputPort } from "../ports.ts";
import { resultOf } from "../results.ts";

const declared = declare("classes", {
  tensor: tensorName,
  labels: labelsField,
  activation: activationField,
  top: Type.Integer({ minimum: 1, default: 5, description: "How many are given unless the request says so" }),
});

export const classes = defineOutput({
  declared,
  fields: (name) => ({
    [name]: Type.Array(Type.Object({ label: Type.String(), score: Type.Number() }), {
      description: "The likeliest classes, best first; scores are shares of one where the model gives such.",
    }),
  }),
  options: ({ top }) => ({
    top_k: Type.Integer({ minimum: 1, maximum: 1000, default: top, description: "How many classes to give." }),
  }),
  async open(declaration, { name, graph, assets }) {
    const port = outputPort(graph, { name: declaration.tensor, for: name });
    const labels = await readLabels(declaration.labels, assets);
    const count = sizeOf(port);
    if (count !== undefined) expectNamed(labels, { name, count });
    return async ({ results, options }) => {
      const scores = Array.from(toFloats(resultOf(results, port)));
      expectNamed(labels, { name, count: scores.length });
      const shares = sharesOf(scores, declaration);
      const ranked = shares
        .map((score, i) => ({ label: labelOf(labels, i), score }))
        .toSorted((a, b) => b.score - a.score);
      return { [name]: ranked.slice(0, Number(options.top_k)) };
    };
  },
});

/** Of a graph that tells it before it runs. */
function sizeOf({ shape }: Port): number | undefined {
  const known = shape.flatMap((each) => (typeof each === "number" && each > 0 ? [each] : []));
  return known.length === shape.length ? known.reduce((product, each) => product * each, 1) : undefined;
}

/** A list that is shorter or longer is another model's, or has one name too many in front: every answer would be another class. */
function expectNamed(labels: readonly string[], { name, count }: { name: string; count: number }): void {
  if (labels.length === 0 || labels.length === count) return;
  throw new ForecourtError(
    "misconfigured",
    `onnx.outputs.${name}.labels are ${labels.length} names, and the graph gives ${count} scores`,
  );
}

export function sharesOf(scores: readonly number[], { activation }: Pick<Static<typeof declared>, "activation">) {
  if (activation === "softmax") return softmax(scores);
  return activation === "sigmoid" ? scores.map(sigmoid) : scores;
}
