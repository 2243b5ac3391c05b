// `forecourt bench`: measures this program on this box, in processes of its own.
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import { createCatalog } from "../control/catalog/catalog.ts";
import { detect } from "../control/hardware/detect.ts";
import { resolveWeights } from "../control/weights/embedded.ts";
import { parse } from "../core/schema.ts";
import { measureOverhead } from "./bench/overhead.ts";
import { type Served, startSelf, startServer } from "./bench/own-process.ts";
import { type BenchReport, benchText, swapInText } from "./bench/report.ts";
import { measureStartUp } from "./bench/start-up.ts";
import { measureSteps, type Steps } from "./bench/steps.ts";
import { measureSwapIn } from "./bench/swap-in.ts";
import { measureThroughput } from "./bench/throughput.ts";
import { findModel } from "./models/catalogue.ts";
import { createProgress, type Progress } from "./progress.ts";
import { printJson, printLine } from "./terminal.ts";
import { versionFacts } from "./version.ts";

/** How much of everything: enough for steady medians, and little enough to try it. */
const full = { rounds: 7, requests: 300, clients: 32, jobs: 2_000, starts: 5, stepRounds: 12, steps: 12 };
const quick = { rounds: 1, requests: 20, clients: 8, jobs: 50, starts: 1, stepRounds: 1, steps: 5 };
type Amounts = typeof full;
const fullSwap = { megabytes: 2_000, rounds: 3 };
const quickSwap = { megabytes: 128, rounds: 1 };

const MODEL = "forecourt/demo-diffusion";

export const bench = () =>
  new Command("bench")
    .description("Measures speed and memory of this program on this box, in processes and a data directory of its own.")
    .option("--quick", "few rounds: shows that it works, not how fast")
    .option("--swap-in", "only: what it takes to bring a model of 2 GB into memory, against reading its files")
    .option("--json", "print as JSON")
    .addOption(new Option("--serve-bare").hideHelp())
    .action(async (flags: { quick?: true; swapIn?: true; json?: true; serveBare?: true }) => {
      if (flags.serveBare) return serveBare();
      if (flags.swapIn) {
        const load = loadNow();
        const measured = await inScratch((data) => measureSwapIn({ data, ...(flags.quick ? quickSwap : fullSwap) }));
        if (flags.json) printJson({ load, ...measured });
        else printLine(swapInText(measured, load));
        return;
      }
      const report = await measureAll(flags.quick ? quick : full);
      if (flags.json) printJson(report);
      else printLine(benchText(report));
    });

/** The process with the bare route; it lives until it is killed. */
async function serveBare(): Promise<void> {
  const { listenBare } = await import("../gateway/bare.ts");
  printLine(listenBare().origin);
  await new Promise(() => {});
}

const loadNow = () => ({ average: loadavg()[0] ?? 0, threads: cpus().length });

/** On the disk that temporary files are on. */
async function inScratch<T>(act: (data: string) => Promise<T>): Promise<T> {
  const data = await mkdtemp(join(tmpdir(), "forecourt-bench-"));
  try {
    return await act(data);
  } finally {
    await rm(data, { recursive: true, force: true });
  }
}

const measureAll = (amounts: Amounts): Promise<BenchReport> => inScratch((data) => measureIn(data, amounts));

async function measureIn(data: string, amounts: Amounts): Promise<BenchReport> {
  const progress = createProgress();
  try {
    const { devices } = await detect({ provided: ["cpu"] });
    const load = loadNow();
    const running = await measureRunning({ data, amounts, progress });
    progress.show("starting servers");
    const startUp = await measureStartUp(data, { rounds: amounts.starts, model: MODEL });
    return { version: versionFacts(), device: devices.at(-1)?.name ?? "", load, ...running, startUp };
  } finally {
    progress.end();
  }
}

type Bench = { data: string; amounts: Amounts; progress: Progress };

/** On one server, whose start also unpacks what the later starts find. */
async function measureRunning({ data, amounts, progress }: Bench) {
  await using server = await startServer(data);
  await using bare = startSelf(["bench", "--serve-bare"], "stdout");
  const origin = (await bare.nextLine()) ?? "";
  progress.show("sending requests");
  const overhead = await measureOverhead({ bare: { origin, key: "" }, full: server, ...amounts });
  progress.show("sending jobs");
  const jobsPerSecond = await measureThroughput(server, amounts);
  progress.show("drawing");
  const steps = await measureStepsOn(server, { data, amounts });
  return { overhead, jobsPerSecond, steps };
}

async function measureStepsOn(server: Served, { data, amounts }: Pick<Bench, "data" | "amounts">): Promise<Steps> {
  const { model, input } = findModel(createCatalog({}), MODEL);
  const bare = {
    model,
    input: parse(input, { prompt: "a red circle", seed: 1 }),
    weights: await resolveWeights({ model, data }),
    runtime: join(data, "runtime"),
    threads: 0,
  };
  return await measureSteps({ server, bare, rounds: amounts.stepRounds, steps: amounts.steps });
}
