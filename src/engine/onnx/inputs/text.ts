// A text as token ids, mask and types, by the tokenizer.json of the weights.
import { choice, type Static, Type } from "../../../core/schema.ts";
import { tensorOf } from "../../tensor/tensor.ts";
import { openDescription } from "../../text/tokenizer.ts";
import { declare, defineInput, type Tensors } from "../kinds.ts";
import { inputPort } from "../ports.ts";

const declared = declare("text", {
  description: Type.String({ default: "The text.", description: "For the API's documentation" }),
  ids: Type.String({ default: "input_ids", description: "The graph's name for the token ids" }),
  mask: Type.String({ default: "attention_mask", description: "Its name for the mask, if it has one" }),
  types: Type.String({ default: "token_type_ids", description: "Its name for the token types, if it has them" }),
  tokenizer: Type.String({ default: "tokenizer.json" }),
  maxTokens: Type.Integer({ minimum: 1, default: 512, description: "Longer texts are cut, and the log says so" }),
  pad: choice(["none", "max"], { default: "none", description: "max: always maxTokens long" }),
  padId: Type.Integer({ minimum: 0, default: 0 }),
});

export const text = defineInput({
  declared,
  field: ({ description }) => Type.String({ description, minLength: 1, maxLength: 100_000 }),
  async open(declaration, { name, graph, assets }) {
    const { ids, mask, types } = declaration;
    const port = inputPort(graph, { name: ids, for: name });
    const others = graph.inputs.filter((each) => each.name === mask || each.name === types);
    const library = openDescription({
      description: await assets.json<object>(declaration.tokenizer),
      config: {},
      name: declaration.tokenizer,
    });
    return async (value, task) => {
      const given = library.encode(String(value), { add_special_tokens: true }).ids;
      if (given.length > declaration.maxTokens)
        task.log(`${name} is too long: ${given.length - declaration.maxTokens} tokens are not read`);
      const { kept, real } = cut(given, declaration);
      const shape = [1, kept.length];
      const tokens = kept.map((_, i) => (i < real ? 1 : 0));
      const feeds: Tensors = { [port.name]: tensorOf(port.dtype, shape, kept) };
      for (const other of others)
        feeds[other.name] = tensorOf(other.dtype, shape, other.name === mask ? tokens : kept.map(() => 0));
      return { steps: 1, tokens, feeds: () => feeds };
    };
  },
});

/** The closing token stays when a text is cut. */
function cut(ids: readonly number[], { maxTokens, pad, padId }: Static<typeof declared>) {
  const kept = ids.length > maxTokens ? [...ids.slice(0, maxTokens - 1), ...ids.slice(-1)] : [...ids];
  const real = kept.length;
  if (pad === "max") kept.push(...new Array<number>(maxTokens - real).fill(padId));
  return { kept, real };
}
