// Answers of a tiny language model on WebGPU, in a process that the test starts with a Vulkan driver of its choice.
import { join } from "node:path";
import type { Task } from "../../src/core/pipeline.ts";
import { parse } from "../../src/core/schema.ts";
import type { ChatInput, ChatOutput } from "../../src/engine/generation/chat-fields.ts";
import { chat } from "../../src/engine/pipelines/chat.ts";
import { createAssets } from "../../src/engine/runner/assets.ts";
import { createCodec } from "../../src/engine/runner/codec.ts";
import { openGraph } from "../../src/engine/runner/session.ts";

const [family = "llama"] = process.argv.slice(2);
const folder = join(import.meta.dir, "../reference/language", family);
const { answers } = await Bun.file(join(folder, "cases.json")).json();
/** Tensors that were left on the device, and how many of them were released. */
const tensors = { held: 0, released: 0 };

const assets = createAssets({
  folder,
  codec: createCodec(),
  async open(path, options) {
    const graph = await openGraph(path, { device: { kind: "webgpu", index: 0 }, threads: 1, ...options });
    const { runHolding } = graph;
    if (!runHolding) throw new Error("keys and values do not stay on the device");
    return {
      ...graph,
      async runHolding(inputs) {
        const { read, held } = await runHolding(inputs);
        tensors.held += Object.keys(held).length;
        for (const tensor of Object.values(held)) {
          const { release } = tensor;
          tensor.release = () => {
            tensors.released++;
            release();
          };
        }
        return { read, held };
      },
    };
  },
});
const never = () => Promise.reject(new Error("not asked for"));
const run = await chat.load(assets);

async function ask(inputs: Record<string, unknown>[]): Promise<ChatOutput[]> {
  const tasks = inputs.map(
    (input): Task<ChatInput> => ({
      ...{
        input: parse(chat.input, { temperature: 0, max_tokens: 24, ...input }),
        media: never,
        save: never,
        log() {},
      },
    }),
  );
  const outputs: ChatOutput[] = [];
  for await (const { index, step } of run(tasks, new AbortController().signal))
    if (step.type === "output") outputs[index] = step.value;
  return outputs;
}

const asked = answers.map(({ messages, prompt, raw }: ChatInput) => (messages ? { messages } : { prompt, raw }));
const texts = (await ask(asked)).map(({ output }) => output);
const [again] = await ask([{ ...asked[0], max_tokens: 2 }]);
process.stdout.write(`${JSON.stringify({ texts, again: again?.output, ...tensors })}\n`);
// WebGPU's threads keep the process alive.
process.exit(0);
