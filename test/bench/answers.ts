// Tokens a second of a language model on the CPU: answers one after the other, and the same answers side by side.
// `bun run test/bench/answers.ts FOLDER [THREADS]`: the folder of a model in transformers.js' layout.
import { resolve } from "node:path";
import type { Task } from "../../src/core/pipeline.ts";
import { parse } from "../../src/core/schema.ts";
import type { ChatInput } from "../../src/engine/generation/chat-fields.ts";
import { chat } from "../../src/engine/pipelines/chat.ts";
import { createAssets } from "../../src/engine/runner/assets.ts";
import { createCodec } from "../../src/engine/runner/codec.ts";
import { openGraph } from "../../src/engine/runner/session.ts";

const [folder = "", threads = "0"] = process.argv.slice(2);
const TOKENS = 64;

const assets = createAssets({
  folder: resolve(folder),
  codec: createCodec(),
  open: (path, options) => openGraph(path, { device: { kind: "cpu", index: 0 }, threads: Number(threads), ...options }),
});
const run = await chat.load(assets);
const { eos_token_id } = await assets.json<{ eos_token_id: number | number[] }>("generation_config.json");
/** No answer ends early. */
const logit_bias = Object.fromEntries([eos_token_id].flat().map((id) => [String(id), -100]));
const never = () => Promise.reject(new Error("not asked for"));

const task = (at: number): Task<ChatInput> => ({
  input: parse(chat.input, {
    prompt: `Tell me of the number ${at}.`,
    raw: true,
    seed: at,
    max_tokens: TOKENS,
    logit_bias,
  }),
  ...{ media: never, save: never, log() {} },
});

/** Tokens of a second, and milliseconds until the first token of the first answer was told. */
async function measure(groups: Task<ChatInput>[][]): Promise<number> {
  const begun = performance.now();
  let tokens = 0;
  for (const group of groups)
    for await (const { step } of run(group, new AbortController().signal))
      if (step.type === "output") tokens += step.value.usage.completion_tokens;
  return tokens / ((performance.now() - begun) / 1000);
}

await measure([[task(0)]]);
process.stdout.write("answers  one by one  together   times\n");
for (const count of [1, 2, 4, 8]) {
  // Prompts of their own: none is read from an earlier answer's.
  const tasks = (from: number) => Array.from({ length: count }, (_, at) => task(count * 100 + from + at));
  const [apart, together] = [await measure(tasks(10).map((each) => [each])), await measure([tasks(50)])];
  const cells = [count, apart.toFixed(1), together.toFixed(1), (together / apart).toFixed(2)];
  process.stdout.write(`${cells.map((cell) => String(cell).padStart(7)).join("    ")}\n`);
}
process.exit(0);
