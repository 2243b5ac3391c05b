// `bun run bench:image`: seconds per step of UNets of Stable Diffusion's and SDXL's size with random weights on the CPU: the graph
// alone, in our loop, and in diffusers' OnnxStableDiffusionPipeline, with the same threads. Prints all, whatever they say.
import { availableParallelism, cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { compare } from "./image/compare.ts";
import { SHAPES, type ShapeName } from "./image/models.ts";

const { values } = parseArgs({
  options: {
    shapes: { type: "string", default: "sd-1.5,sdxl" },
    /** Of the latents: pictures of 128 x 128, of which a step takes seconds on two cores. */
    side: { type: "string", default: "16" },
    threads: { type: "string", default: String(availableParallelism()) },
    steps: { type: "string", default: "2" },
    rounds: { type: "string", default: "6" },
    python: { type: "string", default: "python3" },
  },
});
const say = (text: string) => void process.stderr.write(`${text}\n`);
const isShape = (name: string): name is ShapeName => name in SHAPES;
const shapes = values.shapes.split(",").filter(isShape);
if (shapes.length === 0) throw new Error(`--shapes are of ${Object.keys(SHAPES).join(", ")}`);

// Beyond the number of cores the figures say more of the other work than of the engines.
const machine = { cpu: cpus()[0]?.model, cores: cpus().length, loadBefore: loadavg()[0] };
const results: unknown[] = [];
for (const shape of shapes) {
  const [side, threads, steps, rounds] = [values.side, values.threads, values.steps, values.rounds].map(Number);
  const result = await compare({
    ...{ shape, python: values.python, say },
    ...{ side: side ?? 16, threads: threads ?? 1, steps: steps ?? 2, rounds: rounds ?? 6 },
  });
  if ("missing" in result) {
    say(`SKIPPED: ${result.missing}`);
    process.exit(1);
  }
  results.push(result);
  say(JSON.stringify(result));
}
process.stdout.write(`${JSON.stringify({ machine, results }, null, 2)}\n`);
process.exit(0);
