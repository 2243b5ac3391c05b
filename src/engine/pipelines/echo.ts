// Gives its input back: no graph, no weights. For tests of the path around a pipeline and for the gateway benchmark.
import { COUNTED_UNITS, definePipeline } from "../../core/pipeline.ts";
import { Type } from "../../core/schema.ts";

const input = Type.Object({
  prompt: Type.String({ description: "Comes back as it is.", maxLength: 1_000_000 }),
  steps: Type.Integer({ default: 1, minimum: 1, maximum: 1000, description: "How many progress steps to make." }),
  step_ms: Type.Number({ default: 0, minimum: 0, maximum: 60_000, description: "Milliseconds each step waits." }),
});

const output = Type.Object({ prompt: Type.String(), steps: Type.Integer() });

export const echo = definePipeline({
  summary: "Returns the prompt after a number of idle steps.",
  counts: COUNTED_UNITS, // it stands for any pipeline, at any price
  input,
  output,
  frame: input,
  joins: true,
  load: async () =>
    async function* (tasks, signal) {
      for (const [index, { input, log }] of tasks.entries()) {
        for (let at = 1; at <= input.steps; at++) {
          if (input.step_ms > 0) {
            log(`idle step ${at} of ${input.steps}`);
            await Bun.sleep(input.step_ms);
          }
          signal.throwIfAborted();
          yield { index, step: { type: "progress", at, of: input.steps } };
        }
        const value = { prompt: input.prompt, steps: input.steps };
        yield { index, step: { type: "output", value, units: { requests: 1 } } };
      }
    },
});
