// Our server as the one engine: completions by OpenAI's API, as a client would ask for them.
import { mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import packageJson from "../../../package.json" with { type: "json" };
import { isCompiled, startServer } from "../../support/live-server.ts";
import { type Answered, cpuSecondsOf, type Engine } from "./engine.ts";
import type { Models } from "./models.ts";

const ID = "bench/llama";

export async function startForecourt({ folder }: Models, { threads }: { threads: number }): Promise<Engine> {
  const data = await mkdtemp(join(tmpdir(), "forecourt-bench-text-"));
  mkdirSync(join(data, "models"));
  writeFileSync(join(data, "models/bench.yaml"), JSON.stringify(modelFile(folder)));
  const server = await startServer({ data, env: { FORECOURT_THREADS: String(threads) } });
  return {
    name: "forecourt",
    version: `${packageJson.version}${isCompiled ? "" : " from source"}`,
    cpuSeconds: async () => await cpuSecondsOf([server.pid, ...(await server.runnerPids())]),
    ask: async (prompts, count) =>
      await Promise.all(prompts.map((prompt) => complete(server, { prompt, count }, performance.now()))),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(data, { recursive: true, force: true });
    },
  };
}

const modelFile = (path: string) => ({
  id: ID,
  title: "Random LLaMA",
  description: "Random weights.",
  category: "llm",
  licence: { id: "Apache-2.0", commercial: true },
  pipeline: "chat",
  source: { path },
  memory: { weights: 2e9, working: 1e9, perBatchItem: 0 },
  price: { unit: "token", amount: 0, currency: "USD" },
  limits: { maxBatch: 8 },
});

type Chunk = {
  choices?: { text: string }[];
  usage?: { completion_tokens: number } | null;
  error?: { message: string };
};

async function complete(
  { origin, key }: { origin: string; key: string },
  { prompt, count }: { prompt: string; count: number },
  begin: number,
): Promise<Answered> {
  const body = {
    ...{ model: ID, prompt, max_tokens: count, temperature: 0 },
    ...{ stream: true, stream_options: { include_usage: true } },
  };
  const response = await fetch(`${origin}/v1/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
    body: JSON.stringify(body),
    // Cold, on a busy machine, eight at once.
    signal: AbortSignal.timeout(600_000),
  });
  if (!response.ok || !response.body) throw new Error(`${response.status}: ${await response.text()}`);
  const answered: Answered = { first: 0, last: 0, tokens: 0, text: "" };
  for await (const { choices = [], usage, error } of chunksOf(response.body)) {
    if (error) throw new Error(error.message);
    if (usage) answered.tokens = usage.completion_tokens;
    const more = choices.map(({ text }) => text).join("");
    if (more === "") continue;
    answered.text += more;
    answered.last = performance.now() - begin;
    answered.first ||= answered.last;
  }
  return answered;
}

async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Chunk> {
  const decoder = new TextDecoder();
  let unread = "";
  for await (const bytes of body) {
    const events = (unread + decoder.decode(bytes, { stream: true })).split("\n\n");
    unread = events.pop() ?? "";
    for (const event of events) {
      const data = /^data: (.*)$/m.exec(event)?.[1];
      if (data !== undefined && data !== "[DONE]") yield JSON.parse(data);
    }
  }
}
