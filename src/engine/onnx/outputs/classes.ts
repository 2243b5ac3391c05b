// Which classes a picture, sound or text belongs to, the likeliest first.
import { type Static, Type } from "../../../core/schema.ts";
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
    return async ({ results, options }) => {
      const shares = sharesOf(Array.from(toFloats(resultOf(results, port))), declaration);
      const ranked = shares
        .map((score, i) => ({ label: labelOf(labels, i), score }))
        .toSorted((a, b) => b.score - a.score);
      return { [name]: ranked.slice(0, Number(options.top_k)) };
    };
  },
});

export function sharesOf(scores: readonly number[], { activation }: Pick<Static<typeof declared>, "activation">) {
  if (activation === "softmax") return softmax(scores);
  return activation === "sigmoid" ? scores.map(sigmoid) : scores;
}
