// `bun run bench:kept-graphs`: opening the demo models' graphs anew, and in the form that was kept; in turns, medians.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median } from "../../src/cli/bench/statistics.ts";
import { bytes, MIB } from "../../src/core/units.ts";
import { type KeptGraphs, openKept } from "../../src/engine/runner/kept-graph.ts";

const DEMO = join(import.meta.dir, "../../models/demo");
const GRAPHS = [
  "diffusion/unet/model.onnx",
  "diffusion/text_encoder/model.onnx",
  "diffusion/vae_decoder/model.onnx",
  "clip/onnx/model.onnx",
  "llama/onnx/model.onnx",
];
const ROUNDS = 9;

type Sample = { ms: number; cpuMs: number };

async function opened(path: string, kept: KeptGraphs | undefined): Promise<Sample> {
  const [begun, cpu] = [performance.now(), process.cpuUsage()];
  const graph = await openKept(path, { device: { kind: "cpu", index: 0 }, threads: 0 }, kept);
  const [ms, { user, system }] = [performance.now() - begun, process.cpuUsage(cpu)];
  await graph.release();
  return { ms, cpuMs: (user + system) / 1000 };
}

const print = (line: string) => process.stdout.write(`${line}\n`);
const told = (samples: Sample[]) => {
  const [ms, cpuMs] = [median(samples.map((each) => each.ms)), median(samples.map((each) => each.cpuMs))];
  return { ms, cpuMs, text: `${ms.toFixed(0).padStart(5)} ms, ${cpuMs.toFixed(0).padStart(4)} ms of CPU` };
};

const folder = mkdtempSync(join(tmpdir(), "forecourt-bench-"));
const warn = (message: string) => print(message);
for (const name of GRAPHS) {
  const path = join(DEMO, name);
  const kept = { folder, limit: bytes(1000 * MIB), warn };
  const first = await opened(path, kept);
  const [plain, again]: [Sample[], Sample[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    plain.push(await opened(path, undefined));
    again.push(await opened(path, kept));
  }
  const [a, b] = [told(plain), told(again)];
  const share = `${((100 * b.cpuMs) / a.cpuMs).toFixed(0)} % of the CPU time, ${((100 * b.ms) / a.ms).toFixed(0)} % of the time`;
  print(`${name.padEnd(30)} anew ${a.text} | kept ${b.text} | ${share} | while keeping it ${told([first]).text}`);
}
rmSync(folder, { recursive: true });
