// `bun run bench:gateway`: what the gateway adds to a request, with all of keys, limits, a budget, a price, validation, durable queue,
// usage, metrics, audit and alerts on, against promise 6; and LiteLLM's proxy beside it on this machine, with its mock model. Prints both, whatever they say.
// An answer is sent when the job's end is on disk. What this machine's disk takes for that is measured with a server that does nothing else
// (durable-bare.ts), and what is left of the gateway without it with a server that has its data in memory (/dev/shm). All take their turns in
// several rounds (rounds.ts), since a shared machine is slow for seconds at a time.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { forecourt, freePort, isCompiled, startServer, until } from "../support/live-server.ts";
import { PRICED_ECHO, writePricedEcho } from "../support/priced-echo.ts";
import { asking, atRate, oneByOne, together } from "./http-load.ts";
import { compare, type Spread, type Target } from "./rounds.ts";

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
/** As its code is compiled again and again: at 1,000 requests/s that takes most of a minute, on a processor that the requests need. */
const WARM_UP_SECONDS = 60;
const PROMISE = { p50: 0.5, p99: 3, perSecond: 1000 };

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "4" },
    rounds: { type: "string", default: "7" },
    rate: { type: "string", default: String(PROMISE.perSecond) },
  },
});
const SECONDS = Number(values.seconds);
const ROUNDS = Number(values.rounds);
const RATE = Number(values.rate);

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
    ask: asking({
      ...{ origin, path: "/v1/chat/completions", body: CHAT },
      headers: { authorization: `Bearer ${LITELLM_KEY}` },
    }),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const DURABLE_BARE = resolve(import.meta.dir, "durable-bare.ts");

/** `command` prints where it listens, and echoes there what it is sent. */
async function startBare(name: string, command: string[]): Promise<Target & AsyncDisposable> {
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
  const { value } = await child.stdout.getReader().read();
  const origin = new TextDecoder().decode(value).trim();
  return {
    name,
    ask: asking({ origin, path: "/echo", body: CHAT }),
    async [Symbol.asyncDispose]() {
      child.kill();
      await child.exited;
    },
  };
}

async function startDurableBare(): Promise<Target & AsyncDisposable> {
  const folder = mkdtempSync(join(tmpdir(), "forecourt-bench-"));
  const server = await startBare("bare, each request on disk", [process.execPath, "run", DURABLE_BARE, folder]);
  return {
    ...server,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** As a server is that has run for a while: its code compiled, its memory grown. */
async function warmUp({ ask }: Target, rate: number): Promise<void> {
  await oneByOne(ask, 100);
  await atRate(ask, rate, WARM_UP_SECONDS);
}

const say = (text: string) => void process.stderr.write(`${text}\n`);

/** `id:secret`. */
function createKey(data: string): string {
  const command = [...forecourt, "keys", "create", "--name", "bench", ...KEY_LIMITS, "--data", data, "--json"];
  const made = Bun.spawnSync(command, { stderr: "inherit" });
  return (JSON.parse(made.stdout.toString()) as { key: string }).key;
}

async function startOurs(name: string, parent: string) {
  const folder = mkdtempSync(join(parent, "forecourt-bench-"));
  writePricedEcho(folder, { maxBatch: AT_A_TIME });
  const server = await startServer({ data: folder });
  const headers = { authorization: `Key ${createKey(folder)}` };
  const body = { prompt: "a red circle on a blue background" };
  return {
    name,
    ask: asking({ origin: server.origin, path: `/run/${PRICED_ECHO}`, headers, body }),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function most({ ask }: Target): Promise<number> {
  const seconds = 5;
  return Math.round((await together(ask, { callers: 32, seconds })).length / seconds);
}

/** Beside the bare server: a rate beyond what it can do would measure its queue alone. */
async function measureLiteLLM(bare: Target) {
  const theirs = await startLiteLLM();
  if ("missing" in theirs) return theirs;
  await using other = theirs;
  await warmUp(other, 10);
  const perSecond = await most(other);
  const rate = Math.max(1, Math.min(RATE, Math.floor(perSecond / 2)));
  const common = { bare, targets: [other], rounds: ROUNDS };
  const alone = await compare({ ...common, load: "one caller", way: (ask) => oneByOne(ask, 40) });
  const steady = await compare({ ...common, load: `${rate}/s`, way: (ask) => atRate(ask, rate, SECONDS) });
  return { version: other.version, perSecond, lines: [...alone.lines, ...steady.lines] };
}

async function main() {
  await using bare = await startBare("bare", [...forecourt, "bench", "--serve-bare"]);
  await using stack = new AsyncDisposableStack();
  const durable = stack.use(await startDurableBare());
  const onDisk = { ...stack.use(await startOurs("forecourt", tmpdir())), beside: durable.name };
  const inMemory = existsSync(MEMORY) ? stack.use(await startOurs("forecourt, data in memory", MEMORY)) : undefined;
  const ours = inMemory ? [onDisk, inMemory] : [onDisk];
  for (const target of [bare, durable, ...ours]) {
    say(`warming up: ${target.name}`);
    await warmUp(target, RATE);
  }
  say(`${ROUNDS} rounds`);
  const common = { bare, targets: [durable, ...ours], rounds: ROUNDS };
  const alone = await compare({ ...common, load: "one caller", way: (ask) => oneByOne(ask, 300) });
  const steady = await compare({ ...common, load: `${RATE}/s`, way: (ask) => atRate(ask, RATE, SECONDS) });
  const perSecond: Record<string, number> = {};
  for (const target of ours) perSecond[target.name] = await most(target);
  await stack.disposeAsync();
  say("litellm");
  const theirs = await measureLiteLLM(bare);
  if ("missing" in theirs) say(`SKIPPED: ${theirs.missing}`);
  else perSecond.litellm = theirs.perSecond;
  const isKept = ({ p50, p99 }: Spread) => p50 <= PROMISE.p50 && p99 <= PROMISE.p99;
  const lineOf = (target: Target) => steady.lines.find((line) => line.target === target.name);
  const [disk, memory] = [lineOf(onDisk), inMemory && lineOf(inMemory)];
  process.stdout.write(
    `${JSON.stringify(
      {
        machine: { cpu: cpus()[0]?.model, threads: cpus().length, load: loadavg()[0] },
        forecourt: isCompiled ? "compiled" : "source",
        ...(!("missing" in theirs) && { litellm: theirs.version }),
        bareMs: { alone: alone.bare, steady: steady.bare },
        lines: [...alone.lines, ...steady.lines, ...("missing" in theirs ? [] : theirs.lines)],
        perSecond,
        promise6: {
          ...PROMISE,
          kept: disk && isKept(disk.addedMs),
          keptBesideDisk: disk?.besideMs && isKept(disk.besideMs),
          keptInMemory: memory && isKept(memory.addedMs),
        },
      },
      null,
      2,
    )}\n`,
  );
}

await main();
process.exit(0);
