// Numbers that go into a graph as they are.
import { Type } from "../../../core/schema.ts";
import { tensorOf } from "../../tensor/tensor.ts";
import { declare, defineInput, tensorName } from "../kinds.ts";
import { inputPort } from "../ports.ts";

const declared = declare("tensor", {
  tensor: tensorName,
  description: Type.String({ default: "The numbers, row by row.", description: "For the API's documentation" }),
  shape: Type.Array(Type.Integer({ minimum: 1 }), { description: "Its dimensions; [] is a single number" }),
  minimum: Type.Optional(Type.Number()),
  maximum: Type.Optional(Type.Number()),
});

export const tensor = defineInput({
  declared,
  field({ description, shape, minimum, maximum }) {
    const range = { ...(minimum !== undefined && { minimum }), ...(maximum !== undefined && { maximum }) };
    if (shape.length === 0) return Type.Number({ description, ...range });
    const size = shape.reduce((product, each) => product * each, 1);
    const described = `${description} Shape: ${shape.join(" x ")}.`;
    return Type.Array(Type.Number(range), { description: described, minItems: size, maxItems: size });
  },
  async open({ tensor: wanted, shape }, { name, graph }) {
    const port = inputPort(graph, { name: wanted, for: name });
    return async (value) => {
      const numbers = Array.isArray(value) ? value.map(Number) : [Number(value)];
      return { steps: 1, feeds: () => ({ [port.name]: tensorOf(port.dtype, shape, numbers) }) };
    };
  },
});
