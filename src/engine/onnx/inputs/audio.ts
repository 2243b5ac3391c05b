// Sound as a graph wants it: one channel at its rate, whole or window by window.
import { mediaUrl, type Static, Type } from "../../../core/schema.ts";
import { readSound } from "../../media/sound.ts";
import { tensorOf } from "../../tensor/tensor.ts";
import { declare, defineInput, tensorName } from "../kinds.ts";
import { inputPort } from "../ports.ts";

const declared = declare("audio", {
  tensor: tensorName,
  description: Type.String({
    default: "The sound: URL or data URI of a WAV file.",
    description: "For the documentation",
  }),
  rate: Type.Integer({ minimum: 1000, maximum: 192_000, description: "Samples a second that the graph expects" }),
  window: Type.Optional(
    Type.Object(
      {
        samples: Type.Integer({ minimum: 1, description: "New samples at each step" }),
        context: Type.Integer({ minimum: 0, default: 0, description: "Samples before these that are seen again" }),
      },
      { additionalProperties: false, description: "The graph runs once for each window; absent: once for the whole" },
    ),
  ),
});

export const audio = defineInput({
  declared,
  field: ({ description }) => mediaUrl("audio", description),
  async open(declaration, { name, graph }) {
    const port = inputPort(graph, { name: declaration.tensor, for: name });
    return async (url, task, signal) => {
      const { rate } = declaration;
      const { samples } = await readSound({ task, url: String(url), field: name, rate, signal });
      const { window = { samples: samples.length, context: 0 } } = declaration;
      const length = window.samples + window.context;
      return {
        steps: Math.max(1, Math.ceil(samples.length / window.samples)),
        hopSeconds: window.samples / declaration.rate,
        feeds: (step) => ({
          [port.name]: tensorOf(port.dtype, [1, length], windowAt(samples, step, window)),
        }),
      };
    };
  },
});

/** Silence before the beginning and after the end. */
function windowAt(sound: Float32Array, step: number, window: NonNullable<Static<typeof declared>["window"]>) {
  const { samples, context } = window;
  const piece = new Float32Array(samples + context);
  const from = step * samples - context;
  const begin = Math.max(0, from);
  piece.set(sound.subarray(begin, Math.max(begin, from + piece.length)), begin - from);
  return piece;
}
