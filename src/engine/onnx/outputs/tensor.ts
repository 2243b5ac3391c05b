// A graph's output as it is.
import { Type } from "../../../core/schema.ts";
import { toFloats } from "../../tensor/tensor.ts";
import { declare, defineOutput, tensorName } from "../kinds.ts";
import { outputPort } from "../ports.ts";
import { resultsOf } from "../results.ts";

const declared = declare("tensor", { tensor: tensorName });

export const tensor = defineOutput({
  declared,
  fields: (name) => ({
    [name]: Type.Object({
      shape: Type.Array(Type.Integer(), { description: "Its dimensions; several steps are several along the first." }),
      data: Type.Array(Type.Number(), { description: "Row by row." }),
    }),
  }),
  async open(declaration, { name, graph }) {
    const port = outputPort(graph, { name: declaration.tensor, for: name });
    return async ({ results }) => {
      const all = resultsOf(results, port);
      const [first = 1, ...rest] = all[0]?.shape ?? [];
      const shape = all.length === 1 ? [...(all[0]?.shape ?? [])] : [first * all.length, ...rest];
      return { [name]: { shape, data: all.flatMap((each) => Array.from(toFloats(each))) } };
    };
  },
});
