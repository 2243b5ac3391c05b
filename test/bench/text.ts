// `bun run bench:text`: tokens per second and time to the first token of a LLaMA with 1.2 billion random weights at 4 bits on the CPU, one
// client and eight at once, through our server and by node-llama-cpp on the same weights and threads. Prints both, whatever they say.
import { availableParallelism, cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { compare } from "./text/compare.ts";
import { SHAPES, type ShapeName } from "./text/models.ts";

const { values } = parseArgs({
  options: {
    shape: { type: "string", default: "1b" },
    threads: { type: "string", default: String(availableParallelism()) },
    clients: { type: "string", default: "1,8" },
    prompt: { type: "string", default: "128" },
    answer: { type: "string", default: "32" },
    rounds: { type: "string", default: "2" },
  },
});
if (!(values.shape in SHAPES)) throw new Error(`--shape is one of ${Object.keys(SHAPES).join(", ")}`);

const say = (text: string) => void process.stderr.write(`${text}\n`);
const before = loadavg()[0] ?? 0;
const result = await compare({
  shape: values.shape as ShapeName,
  threads: Number(values.threads),
  clients: values.clients.split(",").map(Number),
  promptTokens: Number(values.prompt),
  answerTokens: Number(values.answer),
  rounds: Number(values.rounds),
  say,
});
if ("missing" in result) {
  say(`SKIPPED: ${result.missing}`);
  process.exit(1);
}
const machine = {
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  // Beyond the number of cores the figures say more of the other work than of the engines, most of all with several threads.
  loadBefore: before,
};
process.stdout.write(`${JSON.stringify({ machine, ...result }, null, 2)}\n`);
process.exit(0);
