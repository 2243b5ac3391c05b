import { expect, test } from "bun:test";
import { ForecourtError } from "../../../src/core/errors.ts";
import { newBatchId } from "../../../src/core/ids.ts";
import type { FromRunner } from "../../../src/engine/protocol.ts";
import type { LoadedModel } from "../../../src/engine/runner/load.ts";
import { createRunnerLoop } from "../../../src/engine/runner/runner.ts";
import { cpu, echoModel } from "../../support/fleet-watcher.ts";

const load = {
  type: "load",
  model: echoModel(),
  device: cpu,
  weights: "/w",
  warmups: [],
  runtime: "/r",
  threads: 1,
} as const;
const job = { input: {}, directory: "/d", media: {} };

/** A loop around a pipeline of the test's own; `until` waits for a message that it sends. */
function startLoop(run: LoadedModel["run"], joins = false) {
  const sent: FromRunner[] = [];
  const waiting = new Map<FromRunner["type"], () => void>();
  const loop = createRunnerLoop({
    async send(message) {
      sent.push(message);
      waiting.get(message.type)?.();
    },
    load: async () => ({ run, joins }),
  });
  const until = (type: FromRunner["type"]) => new Promise<void>((resolve) => waiting.set(type, resolve));
  return { loop, sent, until };
}

const idle: LoadedModel["run"] = async function* () {};

test("a run before the load is the server's fault: fatal, and the process ends", async () => {
  const { loop, sent } = startLoop(idle);
  loop.receive({ type: "run", batch: newBatchId(), jobs: [job] });
  expect(await loop.ended).toBe(1);
  expect(sent).toMatchObject([{ type: "fatal", failure: { code: "internal" } }]);
});

test("a model that cannot be loaded is fatal with its own code", async () => {
  const sent: FromRunner[] = [];
  const loop = createRunnerLoop({
    send: async (message) => void sent.push(message),
    load: async () => {
      throw new ForecourtError("weights_missing", "no unet");
    },
  });
  loop.receive(load);
  expect(await loop.ended).toBe(1);
  expect(sent).toEqual([{ type: "fatal", failure: { code: "weights_missing", message: "no unet" } }]);
});

test("callers are not told where weights lie on the machine, the log is", async () => {
  const folder = "/srv/forecourt/weights/models--a--b/snapshots/main";
  const message = `cannot run ${folder}/onnx/model.onnx: ${folder} has /srv/forecourt/weights/models--a--b/blobs/0f`;
  const { loop, sent, until } = startLoop(async function* () {
    yield { index: 0, step: { type: "progress", at: 1, of: 2 } };
    throw new ForecourtError("runner_failed", message, { details: { file: `${folder}/onnx/model.onnx` } });
  });
  const ready = until("ready");
  loop.receive({ ...load, weights: folder });
  await ready;
  const isIdle = until("idle");
  loop.receive({ type: "run", batch: newBatchId(), jobs: [job] });
  await isIdle;
  const told = {
    message: "cannot run onnx/model.onnx: the model's weights has 0f",
    details: { file: "onnx/model.onnx" },
  };
  expect(sent.find(({ type }) => type === "failed")).toMatchObject({ failure: { code: "runner_failed", ...told } });
  expect(sent).toContainEqual({ type: "log", level: "error", message });
});

test("a lost device fails the job and then the process", async () => {
  const { loop, sent, until } = startLoop(async function* () {
    yield { index: 0, step: { type: "progress", at: 1, of: 2 } };
    throw new ForecourtError("device_lost", "it fell off the bus");
  });
  const ready = until("ready");
  loop.receive(load);
  await ready;
  loop.receive({ type: "run", batch: newBatchId(), jobs: [job] });
  expect(await loop.ended).toBe(1);
  expect(sent.map(({ type }) => type)).toEqual(["ready", "step", "failed", "fatal"]);
});

test("a cancel for a batch that is over, or for another, changes nothing", async () => {
  const { loop, sent, until } = startLoop(async function* () {
    yield { index: 0, step: { type: "output", value: {}, units: {} } };
  });
  const ready = until("ready");
  loop.receive(load);
  await ready;
  const batch = newBatchId();
  const isIdle = until("idle");
  loop.receive({ type: "run", batch, jobs: [job] });
  loop.receive({ type: "cancel", batch: newBatchId() });
  await isIdle;
  loop.receive({ type: "cancel", batch });
  loop.receive({ type: "stop" });
  expect(await loop.ended).toBe(0);
  expect(sent.map(({ type }) => type)).toEqual(["ready", "step", "idle"]);
});

test("a second run while one goes on is the server's fault, unless the pipeline lets jobs join", async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const held: LoadedModel["run"] = async function* () {
    await released;
    yield { index: 0, step: { type: "output", value: {}, units: {} } };
  };
  for (const joins of [false, true]) {
    const { loop, sent, until } = startLoop(held, joins);
    const ready = until("ready");
    loop.receive(load);
    await ready;
    for (let i = 0; i < 2; i++) loop.receive({ type: "run", batch: newBatchId(), jobs: [job] });
    if (joins) {
      release();
      while (sent.filter(({ type }) => type === "idle").length < 2) await until("idle");
      loop.receive({ type: "stop" });
    }
    expect(await loop.ended).toBe(joins ? 0 : 1);
  }
});
