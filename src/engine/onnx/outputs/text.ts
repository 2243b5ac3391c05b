// A line of text that a graph read: at each place the likeliest sign, repeated ones and blanks dropped (CTC).
import { type Static, Type } from "../../../core/schema.ts";
import { ctcDecode } from "../../text/ctc.ts";
import { declare, defineOutput, tensorName } from "../kinds.ts";
import { labelsField, readLabels } from "../labels.ts";
import { outputPort } from "../ports.ts";
import { resultOf } from "../results.ts";

const declared = declare("text", {
  tensor: tensorName,
  alphabet: labelsField,
  append: Type.Array(Type.String(), { default: [], description: "Signs after those of the alphabet's file" }),
  blank: Type.Integer({
    minimum: 0,
    default: 0,
    description: "Class that stands for nothing; the alphabet goes around it",
  }),
});

export const text = defineOutput({
  declared,
  fields: (name) => ({
    [name]: Type.String({ description: "What is read." }),
    [`${name}_score`]: Type.Number({ description: "Mean share of the signs, from 0 to 1." }),
  }),
  async open(declaration: Static<typeof declared>, { name, graph, assets }) {
    const port = outputPort(graph, { name: declaration.tensor, for: name });
    const alphabet = [...(await readLabels(declaration.alphabet, assets)), ...declaration.append];
    return async ({ results }) => {
      const [line] = ctcDecode(resultOf(results, port), { alphabet, blank: declaration.blank });
      return { [name]: line?.text ?? "", [`${name}_score`]: line?.score ?? 0 };
    };
  },
});
