// Points of a body, face or hand in a picture: given as numbers, or as one heat map for each.
import { choice, type Static, Type } from "../../../core/schema.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { toFloats } from "../../tensor/tensor.ts";
import { activationField, sigmoid } from "../activation.ts";
import { peaksOf } from "../heat-maps.ts";
import { declare, defineOutput, tensorName } from "../kinds.ts";
import { outputPort } from "../ports.ts";
import { resultOf } from "../results.ts";
import { toPicture, type WholeView, wholeView } from "../view.ts";

const declared = declare("keypoints", {
  tensor: tensorName,
  coding: choice(["numbers", "heatmaps"], { default: "numbers", description: "heatmaps: [points, height, width]" }),
  numbers: Type.Integer({
    minimum: 2,
    maximum: 3,
    default: 2,
    description: "Numbers of a point; the third is its depth",
  }),
  unit: choice(["pixels", "share"], { default: "pixels", description: "Of what the graph sees" }),
  names: Type.Array(Type.String(), { default: [] }),
  presence: Type.Optional(
    Type.Object(
      { tensor: Type.String(), activation: activationField, field: Type.String({ default: "score" }) },
      {
        additionalProperties: false,
        description: "A further output: whether there is anything of the kind in the picture",
      },
    ),
  ),
});

type KeypointsOutput = Static<typeof declared>;

export const keypoints = defineOutput({
  declared,
  seesWhole: true,
  fields: (name, { numbers, names, coding, presence }) => ({
    [name]: Type.Array(
      Type.Object({
        x: Type.Number(),
        y: Type.Number(),
        ...(numbers === 3 && { z: Type.Number({ description: "Depth, in the same measure as x." }) }),
        ...(coding === "heatmaps" && { score: Type.Number() }),
        ...(names.length > 0 && { name: Type.String() }),
      }),
      { description: "In pixels of the picture." },
    ),
    ...(presence && {
      [presence.field]: Type.Number({ description: "How sure it is that there is one, from 0 to 1." }),
    }),
  }),
  async open(declaration, { name, graph }) {
    const port = outputPort(graph, { name: declaration.tensor, for: name });
    const { presence } = declaration;
    const sure = presence && outputPort(graph, { name: presence.tensor, for: name });
    return async ({ results, view }) => {
      const whole = wholeView(view, name);
      const points = pointsOf(resultOf(results, port), whole, declaration);
      if (!presence || !sure) return { [name]: points };
      const [raw = 0] = toFloats(resultOf(results, sure));
      return { [name]: points, [presence.field]: presence.activation === "sigmoid" ? sigmoid(raw) : raw };
    };
  },
});

function pointsOf(tensor: Tensor, view: WholeView, { coding, numbers, unit, names }: KeypointsOutput) {
  const { seen, content, picture } = view;
  const named = (i: number) => (names.length > 0 ? { name: names[i] ?? String(i) } : {});
  if (coding === "heatmaps")
    return peaksOf(tensor).map(({ x, y, score }, i) => ({
      ...toPicture(view, x * seen.width, y * seen.height),
      score,
      ...named(i),
    }));
  const values = toFloats(tensor);
  const [across, down] = unit === "share" ? [seen.width, seen.height] : [1, 1];
  return Array.from({ length: Math.floor(values.length / numbers) }, (_, i) => {
    const [x = 0, y = 0, z = 0] = values.subarray(i * numbers, (i + 1) * numbers);
    const depth = (z * across * picture.width) / content.width;
    return { ...toPicture(view, x * across, y * down), ...(numbers === 3 && { z: depth }), ...named(i) };
  });
}
