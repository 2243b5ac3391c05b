// Music of the tiny MusicGen on WebGPU, in a process that sees a Vulkan driver: codes, and how many tensors stayed on the device.
import { join } from "node:path";
import { loadMusicgen } from "../../src/engine/music/musicgen.ts";
import { createAssets } from "../../src/engine/runner/assets.ts";
import { createCodec } from "../../src/engine/runner/codec.ts";
import type { OpenGraph } from "../../src/engine/runner/session.ts";
import { openGraph } from "../../src/engine/runner/session.ts";

const counts = { held: 0, released: 0 };

/** Counts what is held and given back. */
function counted(graph: OpenGraph): OpenGraph {
  const { runHolding } = graph;
  if (!runHolding) return graph;
  return {
    ...graph,
    async runHolding(inputs) {
      const { read, held } = await runHolding(inputs);
      for (const tensor of Object.values(held)) {
        counts.held++;
        const { release } = tensor;
        tensor.release = () => {
          counts.released++;
          release();
        };
      }
      return { read, held };
    },
  };
}

const folder = join(import.meta.dir, "../reference/music/musicgen");
const assets = createAssets({
  folder,
  open: async (path, wish) =>
    counted(await openGraph(path, { device: { kind: "webgpu", index: 0 }, threads: 1, ...wish })),
  codec: createCodec(),
});
const model = await loadMusicgen(assets);
const cases: { prompt: string; guidance: number; sampling?: object; codes: number[][] }[] =
  await assets.json("cases.json");
const sampling = {
  temperature: 0,
  topK: 0,
  topP: 1,
  minP: 0,
  seed: 0,
  bias: new Map<number, number>(),
  repetition: 1,
  presence: 0,
  frequency: 0,
};
const written: number[][][] = [];
for (const { prompt, guidance, codes } of cases.filter((each) => !each.sampling)) {
  const frames = codes[0]?.length ?? 0;
  const writing = model.write({ prompt, guidance, frames, sampling, signal: new AbortController().signal });
  let next = await writing.next();
  while (!next.done) next = await writing.next();
  written.push(next.value);
}
process.stdout.write(`${JSON.stringify({ written, ...counts })}\n`);
// WebGPU's threads keep the process alive.
process.exit(0);
