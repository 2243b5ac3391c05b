// `bun run bench:gateway`: what the gateway adds to a request, with all of keys, limits, a budget, a price, validation, durable queue,
// usage, metrics, audit and alerts on, against promise 6; and LiteLLM's proxy beside it on this machine, with its mock model. Prints both, whatever they say.
// An answer is sent when the job's end is on disk. How long this machine's disk takes for that is printed too, and all is measured a
// second time with the data in memory (/dev/shm), where that wait is nothing and what is left is the gateway's own time.
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { forecourt, freePort, isCompiled, startServer, until } from "../support/live-server.ts";
import { PRICED_ECHO, writePricedEcho } from "../support/priced-echo.ts";

/** Pinned: its numbers differ from release to release. */
const LITELLM = "litellm[proxy]==1.108.7";
const CACHE = resolve(import.meta.dir, "../../.cache/litellm");
const MEMORY = "/dev/shm";
const LITELLM_KEY = "sk-bench";
/**
 * The model takes up so many requests at a time, as LiteLLM's mock model does. A model that takes one after the other (`forecourt/echo`) has a
 * line of requests in front of it at this rate, and the wait in that line is the model's, not the gateway's.
 */
const AT_A_TIME = 64;
/** None of them is ever reached, and all are looked at and kept for each request. */
const KEY_LIMITS = ["--rpm", "1000000", "--concurrency", "1000", "--budget", "1000000 USD/day"];
const WARM_UP_SECONDS = 15;
const PROMISE = { p50: 0.5, p99: 3, perSecond: 1000 };

type Target = { name: string; ask: () => Promise<Response> };
type Spread = { p50: number; p99: number };
/** `addedMs`: beyond the bare server and the model's own time. */
type Line = { target: string; load: string; ms: Spread; modelMs: number; addedMs: Spread; failed: number };

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "10" }, rate: { type: "string", default: String(PROMISE.perSecond) } },
});
const SECONDS = Number(values.seconds);
const RATE = Number(values.rate);

const percentile = (samples: number[], share: number) => {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
};
const spread = (samples: number[]): Spread => ({ p50: percentile(samples, 0.5), p99: percentile(samples, 0.99) });
const round = (ms: number) => Math.round(ms * 1000) / 1000;

type Samples = { all: number[]; model: number[]; failed: number };

async function timed({ ask }: Target, since: number, samples: Samples): Promise<void> {
  try {
    const response = await ask();
    await response.bytes();
    if (!response.ok) samples.failed++;
    samples.all.push(performance.now() - since);
    const run = /run=([\d.]+)/.exec(response.headers.get("x-forecourt-timing") ?? "")?.[1];
    if (run !== undefined) samples.model.push(Number(run));
  } catch {
    samples.failed++;
  }
}

/** One after the other. */
async function serial(target: Target, count: number): Promise<Samples> {
  const samples: Samples = { all: [], model: [], failed: 0 };
  for (let n = 0; n < count; n++) await timed(target, performance.now(), samples);
  return samples;
}

/** At a rate, whether the answers come or not; each is timed from the moment when it was due. */
async function open(target: Target, perSecond: number, seconds: number): Promise<Samples> {
  const samples: Samples = { all: [], model: [], failed: 0 };
  const pending: Promise<void>[] = [];
  const begin = performance.now();
  for (let n = 0; n < perSecond * seconds; ) {
    const due = begin + (n * 1000) / perSecond;
    if (performance.now() < due) await Bun.sleep(Math.max(0, due - performance.now()));
    pending.push(timed(target, Math.max(due, begin), samples));
    n++;
  }
  await Promise.all(pending);
  return samples;
}

/** As many as it can with 32 callers. */
async function throughput(target: Target, seconds: number): Promise<number> {
  const samples: Samples = { all: [], model: [], failed: 0 };
  const end = performance.now() + seconds * 1000;
  const caller = async () => {
    while (performance.now() < end) await timed(target, performance.now(), samples);
  };
  await Promise.all(Array.from({ length: 32 }, caller));
  return Math.round(samples.all.length / seconds);
}

const mean = (samples: number[]) =>
  samples.length === 0 ? 0 : samples.reduce((sum, each) => sum + each, 0) / samples.length;

function lineOf(target: Target, load: string, samples: Samples, bare: Spread): Line {
  const { p50, p99 } = spread(samples.all);
  const modelMs = mean(samples.model);
  return {
    target: target.name,
    load,
    ms: { p50: round(p50), p99: round(p99) },
    modelMs: round(modelMs),
    addedMs: { p50: round(p50 - bare.p50 - modelMs), p99: round(p99 - bare.p99 - modelMs) },
    failed: samples.failed,
  };
}

const post = (url: string, body: unknown, authorization = "") =>
  fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...(authorization && { authorization }) },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });

const CHAT = { model: "mock", messages: [{ role: "user", content: "a red circle on a blue background" }] };

/** Its proxy with one mock model: it calls nobody. Without a database, so that its budgets and its ledger are off. */
async function startLiteLLM(): Promise<(Target & AsyncDisposable & { version: string }) | { missing: string }> {
  const python = join(CACHE, "bin/python");
  if (!existsSync(join(CACHE, "complete"))) {
    mkdirSync(CACHE, { recursive: true });
    const made = Bun.spawnSync(["python3", "-m", "venv", CACHE], { stderr: "pipe" });
    const installed =
      made.success &&
      Bun.spawnSync([python, "-m", "pip", "install", "--quiet", LITELLM], { stdout: "ignore", stderr: "inherit" })
        .success;
    if (!installed) return { missing: "python3 with venv, or the package litellm[proxy], is not to be had here" };
    writeFileSync(join(CACHE, "complete"), "");
  }
  const folder = mkdtempSync(join(tmpdir(), "forecourt-litellm-"));
  const config = join(folder, "config.yaml");
  const model = {
    model_name: "mock",
    litellm_params: { model: "openai/mock", api_key: "none", mock_response: "a red circle" },
  };
  writeFileSync(config, JSON.stringify({ model_list: [model], general_settings: { master_key: LITELLM_KEY } }));
  const port = await freePort();
  const child = Bun.spawn(
    [join(CACHE, "bin/litellm"), "--config", config, "--port", String(port), "--host", "127.0.0.1"],
    {
      env: { ...process.env, LITELLM_LOG: "ERROR", PATH: `${join(CACHE, "bin")}:${process.env.PATH}` },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
    },
  );
  const origin = `http://127.0.0.1:${port}`;
  const isUp = async () => (await fetch(`${origin}/health/liveliness`).catch(() => undefined))?.ok ?? false;
  await until(isUp, "LiteLLM is up", 180_000);
  const shown = Bun.spawnSync([python, "-c", "import importlib.metadata as m; print(m.version('litellm'))"]);
  return {
    name: "litellm",
    version: shown.stdout.toString().trim(),
    ask: () => post(`${origin}/v1/chat/completions`, CHAT, `Bearer ${LITELLM_KEY}`),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function startBare() {
  const child = Bun.spawn([...forecourt, "bench", "--serve-bare"], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
  });
  return {
    child,
    origin: child.stdout
      .getReader()
      .read()
      .then(({ value }) => new TextDecoder().decode(value).trim()),
  };
}

/** As a server is that has run for a while: its code compiled, its memory grown. */
async function warmUp(target: Target, rate: number): Promise<void> {
  await serial(target, 100);
  await open(target, rate, WARM_UP_SECONDS);
}

async function measure(target: Target, bares: { serial: Spread; open: Spread }, rate: number): Promise<Line[]> {
  await warmUp(target, rate);
  return [
    lineOf(target, "one caller", await serial(target, 500), bares.serial),
    lineOf(target, `${rate}/s`, await open(target, rate, SECONDS), bares.open),
  ];
}

const say = (text: string) => void process.stderr.write(`${text}\n`);

/** What the disk takes to have a page of a log for good. */
function diskWait(folder: string): Spread {
  const file = openSync(join(folder, "probe"), "w");
  const page = Buffer.alloc(8192, 1);
  const samples = Array.from({ length: 300 }, (_, n) => {
    writeSync(file, page, 0, page.length, (n % 50) * page.length);
    const since = performance.now();
    fdatasyncSync(file);
    return performance.now() - since;
  });
  closeSync(file);
  rmSync(join(folder, "probe"));
  const { p50, p99 } = spread(samples);
  return { p50: round(p50), p99: round(p99) };
}

/** `id:secret`. */
function createKey(data: string): string {
  const command = [...forecourt, "keys", "create", "--name", "bench", ...KEY_LIMITS, "--data", data, "--json"];
  const made = Bun.spawnSync(command, { stderr: "inherit" });
  return (JSON.parse(made.stdout.toString()) as { key: string }).key;
}

async function measureOurs(name: string, parent: string, bares: { serial: Spread; open: Spread }) {
  say(name);
  const folder = mkdtempSync(join(parent, "forecourt-bench-"));
  const diskMs = diskWait(folder);
  writePricedEcho(folder, { maxBatch: AT_A_TIME });
  const server = await startServer({ data: folder });
  const key = createKey(folder);
  const ours: Target = {
    name,
    ask: () =>
      post(`${server.origin}/run/${PRICED_ECHO}`, { prompt: "a red circle on a blue background" }, `Key ${key}`),
  };
  const lines = await measure(ours, bares, RATE);
  const perSecond = await throughput(ours, 5);
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
  return { lines, perSecond, diskMs };
}

async function main() {
  const bareServer = startBare();
  const origin = await bareServer.origin;
  const bare: Target = { name: "bare", ask: () => post(`${origin}/echo`, CHAT) };
  say("bare server");
  await warmUp(bare, RATE);
  const bares = { serial: spread((await serial(bare, 500)).all), open: spread((await open(bare, RATE, SECONDS)).all) };
  const onDisk = await measureOurs("forecourt", tmpdir(), bares);
  const inMemory = existsSync(MEMORY) ? await measureOurs("forecourt, data in memory", MEMORY, bares) : undefined;
  const lines = [...onDisk.lines, ...(inMemory?.lines ?? [])];
  const perSecond: Record<string, number> = { forecourt: onDisk.perSecond };
  if (inMemory) perSecond["forecourt, data in memory"] = inMemory.perSecond;
  say("litellm");
  const theirs = await startLiteLLM();
  if ("missing" in theirs) say(`SKIPPED: ${theirs.missing}`);
  else {
    await using other = theirs;
    perSecond.litellm = await throughput(other, 5);
    // A rate beyond what it can do would measure its queue alone.
    const rate = Math.max(1, Math.min(RATE, Math.floor(perSecond.litellm / 2)));
    lines.push(...(await measure(other, { serial: bares.serial, open: bares.serial }, rate)));
  }
  bareServer.child.kill();
  const isKept = (target: string) => {
    const added = lines.find((line) => line.target === target && line.load === `${RATE}/s`)?.addedMs;
    return added !== undefined && added.p50 <= PROMISE.p50 && added.p99 <= PROMISE.p99;
  };
  process.stdout.write(
    `${JSON.stringify(
      {
        machine: { cpu: cpus()[0]?.model, threads: cpus().length, load: loadavg()[0] },
        forecourt: isCompiled ? "compiled" : "source",
        ...(!("missing" in theirs) && { litellm: theirs.version }),
        bareMs: bares,
        diskMs: onDisk.diskMs,
        lines,
        perSecond,
        promise6: { ...PROMISE, kept: isKept("forecourt"), keptInMemory: isKept("forecourt, data in memory") },
      },
      null,
      2,
    )}\n`,
  );
}

await main();
process.exit(0);
