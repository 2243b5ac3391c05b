// A live server under traffic while its model gets new weights: no request fails, good ones are taken, broken ones are not.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeGraph } from "../../../src/engine/graph-file/graph-file.ts";
import { createFakeHub, type FakeHub } from "../../support/fake-hub.ts";
import { type LiveServer, startServer } from "../../support/live-server.ts";
import { testModel } from "../../support/test-models.ts";
import { until } from "../../support/until.ts";

// Processes on a loaded machine.
setDefaultTimeout(180_000);

/** y = x + amount. */
function adder(amount: number, output = "y"): Uint8Array {
  const shape = [1, 2];
  const content = new Uint8Array(Float32Array.of(amount, amount).buffer);
  return encodeGraph({
    inputs: [{ name: "x", dtype: "float32", shape }],
    outputs: [{ name: output, dtype: "float32", shape }],
    weights: [{ name: "w", dtype: "float32", shape, content }],
    nodes: [{ op: "Add", inputs: ["x", "w"], outputs: [output] }],
  });
}

const [FIRST, SECOND, BROKEN, WRONG, NAN] = ["1", "2", "3", "4", "5"].map((digit) => digit.repeat(40));
const readme = (text: string) => new TextEncoder().encode(text);
const revisions = {
  [FIRST ?? ""]: { "model.onnx": adder(1), "README.md": readme("one") },
  [SECOND ?? ""]: { "model.onnx": adder(2), "README.md": readme("two") },
  // Loads, and has no output of the name that the model file says.
  [BROKEN ?? ""]: { "model.onnx": adder(3, "z") },
  [WRONG ?? ""]: { "model.onnx": readme("no graph at all") },
  [NAN ?? ""]: { "model.onnx": adder(Number.NaN) },
};

const MODEL = "acme/adder";
const file = testModel(MODEL, {
  sizeMb: 50,
  pipeline: "onnx",
  source: { repo: "acme/adder-onnx", revision: "main", include: ["*.onnx"], bytes: 200, track: "main" },
  onnx: {
    inputs: { x: { kind: "tensor", description: "Two numbers.", shape: [1, 2] } },
    outputs: { y: { kind: "tensor", tensor: "y" } },
  },
  examples: [{ x: [1, 2] }],
});

let hub: FakeHub;
let server: LiveServer;
let data: string;
beforeAll(async () => {
  hub = createFakeHub({ repos: { "acme/adder-onnx": { files: {}, revisions } } });
  hub.point("acme/adder-onnx", FIRST ?? "");
  data = await mkdtemp(join(tmpdir(), "forecourt-updates-"));
  mkdirSync(join(data, "models"));
  writeFileSync(join(data, "models", "adder.yaml"), file.text);
  server = await startServer({ data, env: { FORECOURT_HUB_ENDPOINT: hub.endpoint, HF_HOME: "/nonexistent" } });
}, 60_000);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await hub[Symbol.asyncDispose]();
  await rm(data, { recursive: true, force: true });
});

const authorization = () => ({ authorization: `Key ${server.key}` });

async function ask(): Promise<number> {
  const response = await fetch(`${server.origin}/run/${MODEL}`, {
    method: "POST",
    headers: { ...authorization(), "content-type": "application/json" },
    body: JSON.stringify({ x: [0, 0] }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  return JSON.parse(text).y.data[0];
}

async function update(): Promise<Record<string, unknown>> {
  const response = await fetch(`${server.origin}/admin/v1/models/${MODEL}/update`, {
    method: "POST",
    headers: authorization(),
  });
  const events = (await response.text()).split("\n").filter((line) => line.startsWith("data: "));
  return JSON.parse(events.at(-1)?.slice(6) ?? "{}").updates[0];
}

/** Four callers who ask again as soon as they are answered, until told to stop. */
function traffic() {
  const answers: number[] = [];
  const failures: unknown[] = [];
  let isOver = false;
  const caller = async () => {
    while (!isOver)
      await ask()
        .then((answer) => answers.push(answer))
        .catch((error) => failures.push(error));
  };
  const callers = Promise.all([1, 2, 3, 4].map(caller));
  return {
    answers,
    failures,
    async seen(answer: number) {
      while (!answers.includes(answer) && failures.length === 0) await Bun.sleep(5);
    },
    async end() {
      isOver = true;
      await callers;
    },
  };
}

const shown = async () => {
  const response = await fetch(`${server.origin}/admin/v1/models`, { headers: authorization() });
  const { models } = (await response.json()) as { models: { id: string; weights: object; updates: object[] }[] };
  return models.find(({ id }) => id === MODEL);
};

test("under traffic a new revision takes over: answers change from old to new, and none fails", async () => {
  expect(await ask()).toBe(1);
  expect(await update()).toEqual({ model: MODEL, state: "current", from: FIRST });
  const callers = traffic();
  await callers.seen(1);
  hub.point("acme/adder-onnx", SECOND ?? "");
  expect(await update()).toEqual({ model: MODEL, state: "installed", from: FIRST, to: SECOND });
  await callers.seen(2);
  await callers.end();
  expect(callers.failures).toEqual([]);
  expect(new Set(callers.answers)).toEqual(new Set([1, 2]));
  expect(await ask()).toBe(2);
  expect(await shown()).toMatchObject({
    weights: { state: "complete", commit: SECOND },
    updates: [{ state: "installed", from: FIRST, to: SECOND }],
  });
});

test.each([
  ["whose graph gives something else", BROKEN],
  ["that is no graph", WRONG],
  ["that computes no numbers", NAN],
])("a revision %s is told and not taken, and its files go", async (_, commit = "") => {
  hub.point("acme/adder-onnx", commit);
  const callers = traffic();
  await callers.seen(2);
  const result = await update();
  expect(result).toMatchObject({ model: MODEL, state: "failed", from: SECOND, to: commit });
  expect(String(result.reason).length).toBeGreaterThan(10);
  await callers.end();
  expect(callers.failures).toEqual([]);
  expect(new Set(callers.answers)).toEqual(new Set([2]));
  expect((await shown())?.updates[0]).toMatchObject({ state: "failed", to: commit, reason: result.reason });
  expect(existsSync(join(data, "weights/models--acme--adder-onnx/snapshots", commit))).toBe(false);
  // Its words come by another way than its answer.
  await until(() => server.output().includes("a new revision failed its trial"));
});

test("what failed is not tried again by itself", async () => {
  const fetched = hub.files.length;
  const response = await fetch(`${server.origin}/admin/v1/models/update`, { method: "POST", headers: authorization() });
  expect(await response.text()).toContain(`"state":"failed"`);
  expect(hub.files.length).toBe(fetched);
});
