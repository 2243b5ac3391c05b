// One number of a graph's output.
import { Type } from "../../../core/schema.ts";
import { toFloats } from "../../tensor/tensor.ts";
import { activationField } from "../activation.ts";
import { declare, defineOutput, tensorName } from "../kinds.ts";
import { outputPort } from "../ports.ts";
import { resultOf } from "../results.ts";
import { sharesOf } from "./classes.ts";

const declared = declare("number", {
  tensor: tensorName,
  at: Type.Integer({ minimum: 0, default: 0, description: "Which number of the tensor" }),
  activation: activationField,
  description: Type.String({ default: "What the model computed.", description: "For the API's documentation" }),
});

export const number = defineOutput({
  declared,
  fields: (name, { description }) => ({ [name]: Type.Number({ description }) }),
  async open(declaration, { name, graph }) {
    const port = outputPort(graph, { name: declaration.tensor, for: name });
    return async ({ results }) => {
      const shares = sharesOf(Array.from(toFloats(resultOf(results, port))), declaration);
      return { [name]: shares[declaration.at] ?? 0 };
    };
  },
});
