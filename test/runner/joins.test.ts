// Jobs that join each other in one runner process: answers of a language model that begin and end one by one.
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import type { BatchId } from "../../src/core/ids.ts";
import { parse } from "../../src/core/schema.ts";
import { milliseconds } from "../../src/core/units.ts";
import { type ChatOutput, chatInput } from "../../src/engine/generation/chat-fields.ts";
import { echoModel, type WatchedFleet, watchFleet } from "../support/fleet-watcher.ts";

// Processes on a loaded machine.
setDefaultTimeout(60_000);

const WEIGHTS = join(import.meta.dir, "../reference/language/llama");
const model = echoModel({ id: "test/llama", pipeline: "chat", limits: { maxBatch: 4 } });
/** Tokens that end an answer, never taken: answers are as long as they may be. */
const ENDS = { "377": -100, "380": -100, "381": -100 };
const long = (prompt: string, max_tokens = 900) =>
  parse(chatInput, { prompt, raw: true, max_tokens, temperature: 0, logit_bias: ENDS });

async function answerTo(watched: WatchedFleet, batch: BatchId): Promise<string> {
  for (;;) {
    const { batch: ended } = await watched.next("idle");
    if (ended !== batch) continue;
    const [output] = watched.events.flatMap((event) =>
      event.type === "step" && event.batch === batch && event.step.type === "output" ? [event.step.value] : [],
    );
    return (output as ChatOutput).output;
  }
}

test("an answer that begins while another grows is what it is alone, and ends before it", async () => {
  await using watched = await watchFleet();
  const { runner } = await watched.start(model, WEIGHTS);
  const alone = await answerTo(watched, watched.run(runner, [long("The world", 30)]));
  const slow = watched.run(runner, [long("Hello there! How are you?")]);
  await watched.next("step");
  const quick = watched.run(runner, [long("The world", 30)]);
  expect(watched.fleet.runners()).toMatchObject([{ state: "busy", batches: [slow, quick] }]);
  expect(await answerTo(watched, quick)).toBe(alone);
  expect(watched.fleet.runners()).toMatchObject([{ state: "busy", batches: [slow] }]);
  expect((await watched.next("idle")).batch).toBe(slow);
  expect(watched.fleet.runners()).toMatchObject([{ state: "ready" }]);
});

test("cancelling one of them leaves the others alone", async () => {
  await using watched = await watchFleet();
  const { runner } = await watched.start(model, WEIGHTS);
  const [left, kept] = [watched.run(runner, [long("Hello")]), watched.run(runner, [long("The world", 300)])];
  await watched.next("step");
  watched.fleet.cancel(left);
  expect(await watched.next("job-failed")).toMatchObject({ batch: left, failure: { code: "client_cancelled" } });
  expect((await answerTo(watched, kept)).length).toBeGreaterThan(0);
});

test("one that takes too long ends alone, and its runner stays", async () => {
  await using watched = await watchFleet();
  const { runner, pid } = await watched.start(model, WEIGHTS);
  const kept = watched.run(runner, [long("The world")]);
  const late = watched.run(runner, [long("Hello")], { timeout: milliseconds(20) });
  expect(await watched.next("job-failed")).toMatchObject({ batch: late, failure: { code: "run_timeout" } });
  expect((await answerTo(watched, kept)).length).toBeGreaterThan(0);
  expect(watched.fleet.runners()).toMatchObject([{ pid }]);
});

test("a runner that is killed is gone with all of them", async () => {
  await using watched = await watchFleet();
  const { runner, pid } = await watched.start(model, WEIGHTS);
  const batches = [watched.run(runner, [long("Hello")]), watched.run(runner, [long("The world")])];
  await watched.next("step");
  process.kill(pid, "SIGKILL");
  expect(await watched.next("gone")).toMatchObject({ runner, batches, failure: { code: "runner_crashed" } });
});
