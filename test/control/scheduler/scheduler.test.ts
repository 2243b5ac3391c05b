// The loop over real jobs and a real database, with a fleet that does what the test says.
import { afterEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Settings } from "../../../src/control/settings.ts";
import { defaultSettings } from "../../../src/control/settings.ts";
import type { Failure } from "../../../src/core/errors.ts";
import { asId, type BatchId, type JobId, type KeyId, type ModelId, type RunnerId } from "../../../src/core/ids.ts";
import type { Job } from "../../../src/core/job.ts";
import { instant, milliseconds } from "../../../src/core/units.ts";
import { createTestAppliance, type TestAppliance } from "../../support/create-test-appliance.ts";
import { createFakeFleet, killed } from "../../support/fake-fleet.ts";
import { createTestClock } from "../../support/test-clock.ts";
import { testModel } from "../../support/test-models.ts";
import { until } from "../../support/until.ts";

const opened: TestAppliance[] = [];
afterEach(async () => {
  for (const appliance of opened.splice(0)) await appliance[Symbol.asyncDispose]();
});

const A = "test/a";
const B = "test/b";
const output = { type: "output" as const, value: { prompt: "hi", steps: 1 }, units: { requests: 1 } };

/** By hand, with a budget of 150 MiB: one of the models fits at a time. */
async function stage({
  settings = {},
  models = [testModel(A), testModel(B)],
  data,
}: {
  data?: string;
  settings?: Partial<Settings>;
  models?: ReturnType<typeof testModel>[];
} = {}) {
  const clock = createTestClock();
  const fleet = createFakeFleet({ automatic: false, clock });
  const memory = { ...defaultSettings("/").memory, budgetMb: 150, idleUnloadSeconds: 0 };
  const appliance = await createTestAppliance({
    clock,
    timers: clock,
    fleet,
    builtInModels: models,
    settings: { memory, ...settings },
    ...(data !== undefined && { data }),
  });
  opened.push(appliance);
  const submit = (model: string, more: { startTimeout?: number; input?: unknown } = {}): Promise<Job> => {
    const entry = appliance.catalog.find(model);
    if (!entry) throw new Error(`no model ${model}`);
    return appliance.jobs.submit({
      model: entry.model,
      endpoint: model,
      key: asId<KeyId>("key"),
      input: more.input ?? { prompt: "hi" },
      rejectInvalid: true,
      ...(more.startTimeout !== undefined && { startTimeout: milliseconds(more.startTimeout) }),
    });
  };
  const statusOf = ({ id }: { id: JobId }) => appliance.jobs.find(id)?.status;
  return { ...appliance, clock, fleet, submit, statusOf };
}
type Stage = Awaited<ReturnType<typeof stage>>;

const loaded = async ({ fleet }: Stage, count = 1): Promise<RunnerId> => {
  await until(() => fleet.loads.length >= count);
  const order = fleet.loads[count - 1];
  if (!order) throw new Error("nothing was loaded");
  fleet.becomeReady(order.runner);
  return order.runner;
};
const started = async ({ fleet }: Stage, count = 1): Promise<BatchId> => {
  await until(() => fleet.runs.length >= count);
  const order = fleet.runs[count - 1];
  if (!order) throw new Error("nothing was run");
  return order.batch;
};
const finish = ({ fleet }: Stage, batch: BatchId) => {
  fleet.step(batch, output);
  fleet.end(batch);
};

test("a job loads its model, runs, and is done with its timing and device", async () => {
  const on = await stage();
  const job = await on.submit(A);
  await until(() => on.fleet.loads.length === 1);
  expect(on.fleet.loads[0]).toMatchObject({
    model: { id: A },
    device: { id: "cpu" },
    weights: join(on.data, "weights"),
  });
  on.clock.advance(40);
  await loaded(on);
  const batch = await started(on);
  on.clock.advance(9);
  finish(on, batch);
  const timing = { queueMs: 35, loadMs: 5, runMs: 9 };
  expect(on.jobs.find(job.id)).toMatchObject({
    status: "done",
    output: output.value,
    units: output.units,
    device: "cpu",
    timing,
  });
});

test("jobs of one model run one after the other, in order", async () => {
  const on = await stage();
  const jobs = [await on.submit(A), await on.submit(A), await on.submit(A)];
  await loaded(on);
  for (const [at, job] of jobs.entries()) {
    const batch = await started(on, at + 1);
    expect(jobs.map(on.statusOf)).toEqual(jobs.map((_, i) => (i < at ? "done" : i === at ? "running" : "queued")));
    expect(on.statusOf(job)).toBe("running");
    finish(on, batch);
  }
  expect(jobs.map(on.statusOf)).toEqual(["done", "done", "done"]);
  expect(on.fleet.loads).toHaveLength(1);
});

test("a model that needs the memory of an idle one gets it", async () => {
  const on = await stage();
  const first = await on.submit(A);
  const runner = await loaded(on);
  finish(on, await started(on));
  const second = await on.submit(B);
  await until(() => on.fleet.evictions.length === 1);
  expect(on.fleet.loads).toHaveLength(1);
  on.fleet.die(runner);
  await loaded(on, 2);
  finish(on, await started(on, 2));
  expect([first, second].map(on.statusOf)).toEqual(["done", "done"]);
});

test("a model under steady load yields to another that waited ten seconds", async () => {
  const on = await stage();
  await on.submit(A);
  await loaded(on);
  const patient = await on.submit(B);
  for (let second = 1; second <= 10; second++) {
    await on.submit(A);
    const batch = await started(on, second);
    on.clock.advance(1_000);
    finish(on, batch);
  }
  await until(() => on.fleet.evictions.length === 1);
  const [a] = on.fleet.evictions;
  if (a) on.fleet.die(a);
  await loaded(on, 2);
  const batch = await started(on, on.fleet.runs.length);
  expect(on.statusOf(patient)).toBe("running");
  finish(on, batch);
});

test("a runner that is killed costs its job one attempt; it runs again when the model may be loaded again", async () => {
  const on = await stage();
  const job = await on.submit(A);
  const runner = await loaded(on);
  await started(on);
  const until_ = instant(on.clock.now() + 500);
  on.fleet.rest(asId<ModelId>(A), { until: until_, failures: 1, reason: killed });
  on.fleet.die(runner, killed);
  expect(on.statusOf(job)).toBe("queued");
  await new Promise(setImmediate);
  expect(on.fleet.loads).toHaveLength(1);
  on.clock.advance(500);
  await loaded(on, 2);
  finish(on, await started(on, 2));
  expect(on.jobs.find(job.id)).toMatchObject({ status: "done", attempts: 2 });
});

test("a failure that the runner reports fails that job alone", async () => {
  const on = await stage();
  const [bad, good] = [await on.submit(A), await on.submit(A)];
  await loaded(on);
  const failure: Failure = { code: "invalid_input", message: "no picture", problems: [] };
  on.fleet.end(await started(on), failure);
  finish(on, await started(on, 2));
  expect(on.jobs.find(bad.id)).toMatchObject({ status: "failed", failure });
  expect(on.statusOf(good)).toBe("done");
});

test("a runner that ends a batch without a result fails its job", async () => {
  const on = await stage();
  const job = await on.submit(A);
  await loaded(on);
  on.fleet.end(await started(on));
  expect(on.jobs.find(job.id)).toMatchObject({ status: "failed", failure: { code: "runner_failed" } });
});

test("steps of a runner that was given up change nothing", async () => {
  const on = await stage();
  const job = await on.submit(A);
  const runner = await loaded(on);
  await started(on);
  on.fleet.die(runner, killed);
  const attempts = on.jobs.find(job.id)?.attempts;
  await loaded(on, 2);
  await started(on, 2);
  expect(on.jobs.find(job.id)).toMatchObject({ status: "running", attempts: (attempts ?? 0) + 1 });
});

test("cancelling a running job reaches its batch", async () => {
  const on = await stage();
  const job = await on.submit(A);
  await loaded(on);
  const batch = await started(on);
  expect(on.jobs.cancel(job.id)).toBe("requested");
  expect(on.fleet.cancels).toEqual([batch]);
  on.fleet.end(batch, { code: "client_cancelled", message: "cancelled" });
  expect(on.statusOf(job)).toBe("cancelled");
});

test("a job that has not started by its deadline fails when it passes", async () => {
  const on = await stage();
  const job = await on.submit(A, { startTimeout: 2_000 });
  await until(() => on.fleet.loads.length === 1);
  on.clock.advance(1_999);
  await new Promise(setImmediate);
  expect(on.statusOf(job)).toBe("queued");
  on.clock.advance(1);
  await until(() => on.statusOf(job) !== "queued");
  expect(on.jobs.find(job.id)).toMatchObject({ status: "failed", failure: { code: "start_timeout" } });
});

test("jobs of a model without weights fail with what to do, and later ones are tried anew", async () => {
  const source = { path: "/nowhere/weights" };
  const on = await stage({ models: [testModel(A, { source })] });
  const jobs = [await on.submit(A), await on.submit(A)];
  await until(() => jobs.every((job) => on.statusOf(job) === "failed"));
  expect(on.jobs.find(jobs[0]?.id ?? asId(""))).toMatchObject({
    failure: { code: "weights_missing", message: expect.stringContaining("/nowhere/weights") },
  });
  const later = await on.submit(A);
  await until(() => on.statusOf(later) === "failed");
  expect(on.fleet.loads).toHaveLength(0);
});

test("a model larger than the box is refused at once", async () => {
  const on = await stage({ models: [testModel(A, { sizeMb: 151 })] });
  const job = await on.submit(A);
  await until(() => on.statusOf(job) === "failed");
  expect(on.jobs.find(job.id)).toMatchObject({ failure: { code: "insufficient_memory" } });
});

test("and its weights are not asked for before", async () => {
  const on = await stage({ models: [testModel(A, { sizeMb: 151, source: { path: "/nowhere/weights" } })] });
  const job = await on.submit(A);
  await until(() => on.statusOf(job) === "failed");
  expect(on.jobs.find(job.id)).toMatchObject({ failure: { code: "insufficient_memory" } });
});

test("a long queue of hopeless jobs is refused to its end", async () => {
  const on = await stage({ models: [testModel(A)] });
  on.fleet.rest(asId<ModelId>(A), {
    until: instant(on.clock.now() + 60_000),
    failures: 5,
    reason: { code: "runner_failed", message: "no" },
  });
  const jobs = await Promise.all(Array.from({ length: 100 }, () => on.submit(A)));
  await until(() => on.statusOf(jobs.at(-1) ?? { id: asId("") }) === "failed");
  expect(jobs.every((job) => on.statusOf(job) === "failed")).toBe(true);
});

test("a model that does not start is tried again by the first request after its rest, and serves once it is mended", async () => {
  const on = await stage({ models: [testModel(A)] });
  const reason: Failure = { code: "runner_failed", message: "the graph is cut short" };
  const fail = async (failures: number, rest: number) => {
    await until(() => on.fleet.loads.length === failures);
    const runner = on.fleet.loads.at(-1)?.runner;
    if (!runner) throw new Error("nothing was loaded");
    on.fleet.rest(asId<ModelId>(A), { until: instant(on.clock.now() + rest), failures, reason });
    on.fleet.die(runner, reason);
  };
  const first = await on.submit(A);
  await fail(1, 500);
  on.clock.advance(500);
  await fail(2, 1_000);
  await until(() => on.statusOf(first) === "failed");
  const resting = await on.submit(A);
  await until(() => on.statusOf(resting) === "failed");
  expect(on.jobs.find(resting.id)).toMatchObject({ failure: reason });
  expect(on.fleet.loads).toHaveLength(2);
  on.clock.advance(1_000);
  const mended = await on.submit(A);
  await loaded(on, 3);
  finish(on, await started(on));
  expect(on.statusOf(mended)).toBe("done");
});

test("an idle model is unloaded after the time that the settings name", async () => {
  const memory = { ...defaultSettings("/").memory, budgetMb: 150, idleUnloadSeconds: 60 };
  const on = await stage({ settings: { memory } });
  await on.submit(A);
  const runner = await loaded(on);
  finish(on, await started(on));
  await new Promise(setImmediate);
  on.clock.advance(59_999);
  await new Promise(setImmediate);
  expect(on.fleet.evictions).toEqual([]);
  on.clock.advance(1);
  await until(() => on.fleet.evictions.length === 1);
  expect(on.fleet.evictions).toEqual([runner]);
});

test("stopping puts running jobs back without blame, and the next start takes them up", async () => {
  const on = await stage();
  const job = await on.submit(A);
  await loaded(on);
  await started(on);
  await on.stop();
  opened.splice(0);
  const fleet = createFakeFleet();
  await using next = await createTestAppliance({ fleet, data: on.data, builtInModels: [testModel(A)] });
  await until(() => next.jobs.find(job.id)?.status === "done");
  expect(next.jobs.find(job.id)).toMatchObject({ attempts: 2 });
});

test("a disk that is full for a while loses no job", async () => {
  const on = await stage();
  const sqlite = on.database.sqlite;
  const job = await on.submit(A);
  await loaded(on);
  const batch = await started(on);
  const pages = Number(sqlite.query("PRAGMA page_count").values()[0]?.[0]);
  sqlite.run(`PRAGMA max_page_count = ${pages}`);
  on.fleet.step(batch, { ...output, value: { prompt: "x".repeat(2_000_000) } });
  on.fleet.end(batch);
  expect(on.statusOf(job)).toBe("running");
  sqlite.run("PRAGMA max_page_count = 1000000");
  on.clock.advance(1_000);
  finish(on, await started(on, 2));
  expect(on.jobs.find(job.id)).toMatchObject({ status: "done", attempts: 2 });
});

const similarity = { pipeline: "image-text-similarity", examples: [] };
const withPicture = (url: string) => ({ input: { image_url: url, texts: ["a"] } });

test("the picture behind a URL is fetched before the run, kept from readers, and removed after it", async () => {
  using server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("pixels") });
  const fetchSettings = { ...defaultSettings("/").fetch, allow: ["127.0.0.1"] };
  const on = await stage({ models: [testModel(A, similarity)], settings: { fetch: fetchSettings } });
  const url = `${server.url}a.png`;
  const job = await on.submit(A, withPicture(url));
  await loaded(on);
  const batch = await started(on);
  const path = on.fleet.runs[0]?.jobs[0]?.media[url] ?? "";
  expect(readFileSync(path, "utf8")).toBe("pixels");
  expect(await on.files.find(job.files, ".input")).toBeUndefined();
  finish(on, batch);
  expect(existsSync(dirname(path))).toBe(false);
  expect(existsSync(on.files.directory(job.files))).toBe(false);
});

test("the picture is removed too when the scheduler looks between a run's output and its end", async () => {
  using server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("pixels") });
  const fetchSettings = { ...defaultSettings("/").fetch, allow: ["127.0.0.1"] };
  const on = await stage({ models: [testModel(A, similarity)], settings: { fetch: fetchSettings } });
  const url = `${server.url}a.png`;
  const job = await on.submit(A, withPicture(url));
  await loaded(on);
  const batch = await started(on);
  expect(existsSync(on.fleet.runs[0]?.jobs[0]?.media[url] ?? "")).toBe(true);
  on.fleet.step(batch, output);
  await new Promise(setImmediate);
  on.fleet.end(batch);
  expect(existsSync(on.files.directory(job.files))).toBe(false);
});

test("a URL that must not be fetched fails the job with the field, before anything is loaded for it", async () => {
  const on = await stage({ models: [testModel(A, similarity)] });
  const job = await on.submit(A, withPicture("http://169.254.169.254/latest/meta-data"));
  await until(() => on.statusOf(job) === "failed");
  expect(on.jobs.find(job.id)).toMatchObject({
    failure: { code: "invalid_input", problems: [{ loc: ["body", "image_url"], type: "file_download_error" }] },
  });
  expect(on.fleet.runs).toHaveLength(0);
});

test("a slow download does not hold up the job behind it", async () => {
  const { promise: release, resolve } = Promise.withResolvers<void>();
  using server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch({ url }) {
      if (url.endsWith("slow")) await release;
      return new Response("pixels");
    },
  });
  const fetchSettings = { ...defaultSettings("/").fetch, allow: ["127.0.0.1"] };
  const on = await stage({ models: [testModel(A, similarity)], settings: { fetch: fetchSettings } });
  const slow = await on.submit(A, withPicture(`${server.url}slow`));
  const quick = await on.submit(A, withPicture("data:image/png;base64,AA=="));
  await loaded(on);
  const batch = await started(on);
  expect([slow, quick].map(on.statusOf)).toEqual(["queued", "running"]);
  finish(on, batch);
  resolve();
  finish(on, await started(on, 2));
  expect([slow, quick].map(on.statusOf)).toEqual(["done", "done"]);
});

test("this box's own files are read from disk, by whatever name the box was called", async () => {
  const on = await stage({ models: [testModel(A, similarity), testModel(B)] });
  const maker = await on.submit(B);
  const folder = on.files.directory(maker.files);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "image-1.png"), "pixels");
  await loaded(on);
  finish(on, await started(on));
  const url = `http://10.1.2.3:3250/files/${maker.files}/image-1.png`;
  await on.submit(A, withPicture(url));
  await until(() => on.fleet.evictions.length === 1);
  const [b] = on.fleet.evictions;
  if (b) on.fleet.die(b);
  await loaded(on, 2);
  const batch = await started(on, 2);
  expect(readFileSync(on.fleet.runs[1]?.jobs[0]?.media[url] ?? "", "utf8")).toBe("pixels");
  finish(on, batch);
  expect(existsSync(join(folder, "image-1.png"))).toBe(true);
});

/** The tiny pipeline with batches; its jobs are looked at for what they have in common. */
const drawing = { pipeline: "text-to-image", limits: { maxBatch: 4 } };
const draw = (prompt: string, steps = 2) => ({ input: { prompt, num_inference_steps: steps } });

test("alike jobs of a model go to its runner together, others wait for their turn", async () => {
  const on = await stage({ models: [testModel(A, drawing)] });
  const alike = [await on.submit(A, draw("a")), await on.submit(A, draw("b"))];
  const other = await on.submit(A, draw("c", 3));
  await until(() => on.fleet.loads.length === 1);
  on.clock.advance(5);
  await loaded(on);
  const batch = await started(on);
  expect(on.fleet.runs[0]?.jobs.map(({ input }) => input.prompt)).toEqual(["a", "b"]);
  expect([...alike, other].map(on.statusOf)).toEqual(["running", "running", "queued"]);
  for (const index of [0, 1]) on.fleet.step(batch, output, index);
  on.fleet.end(batch);
  expect(alike.map(on.statusOf)).toEqual(["done", "done"]);
  on.fleet.end(await started(on, 2));
});

test("cancelling one job of a batch leaves the others alone", async () => {
  const on = await stage({ models: [testModel(A, drawing)] });
  const [first, second] = [await on.submit(A, draw("a")), await on.submit(A, draw("b"))];
  await until(() => on.fleet.loads.length === 1);
  on.clock.advance(5);
  await loaded(on);
  const batch = await started(on);
  on.jobs.cancel(first.id);
  expect(on.fleet.cancels).toEqual([batch]);
  on.fleet.step(batch, output, 1);
  on.fleet.end(batch, { code: "client_cancelled", message: "cancelled" });
  expect([first, second].map(on.statusOf)).toEqual(["cancelled", "done"]);
});

/** Answers join and leave its runner one by one. */
const talking = { pipeline: "chat", limits: { maxBatch: 2 } };

test("a job joins the runner of its model while others run, and a third takes the place of the first that ends", async () => {
  const on = await stage({ models: [testModel(A, talking)] });
  const say = () => on.submit(A, { input: { prompt: "hello" } });
  const first = await say();
  await loaded(on);
  const one = await started(on);
  const [second, third] = [await say(), await say()];
  const two = await started(on, 2);
  expect(on.fleet.runs.map(({ jobs }) => jobs.length)).toEqual([1, 1]);
  expect([first, second, third].map(on.statusOf)).toEqual(["running", "running", "queued"]);
  finish(on, one);
  const three = await started(on, 3);
  expect([first, second, third].map(on.statusOf)).toEqual(["done", "running", "running"]);
  on.jobs.cancel(second.id);
  expect(on.fleet.cancels).toEqual([two]);
  on.fleet.end(two, { code: "client_cancelled", message: "cancelled" });
  finish(on, three);
  expect([first, second, third].map(on.statusOf)).toEqual(["done", "cancelled", "done"]);
});

test("a runner that dies interrupts every job that had joined it; each is tried again", async () => {
  const on = await stage({ models: [testModel(A, talking)] });
  const jobs = [await on.submit(A, { input: { prompt: "a" } }), await on.submit(A, { input: { prompt: "b" } })];
  await loaded(on);
  await started(on, 2);
  const [runner] = on.fleet.runners();
  if (runner) on.fleet.die(runner.id, killed);
  expect(jobs.map(on.statusOf)).toEqual(["queued", "queued"]);
});

test("what running a model taught is known after a restart", async () => {
  const data = mkdtempSync(join(tmpdir(), "forecourt-test-"));
  try {
    const on = await stage({ data });
    await on.submit(A);
    await loaded(on);
    finish(on, await started(on));
    const [before] = on.scheduler.standing();
    expect(before).toMatchObject({ model: A, residency: "on demand", loadMs: 5, runMs: 1 });
    await opened.pop()?.[Symbol.asyncDispose]();
    const again = await stage({ data, settings: { memory: { ...defaultSettings("/").memory, warm: ["test/*"] } } });
    const [warm, cold] = again.scheduler.standing();
    expect(warm).toMatchObject({ model: A, residency: "warm", loadMs: 5, runMs: 1 });
    expect(warm?.popularity).toBeGreaterThan(20);
    expect(cold).toMatchObject({ model: B, popularity: 0 });
    await until(() => again.fleet.loads.length === 2);
    expect(again.fleet.loads.map(({ model }) => model.id)).toEqual([A, B]);
    expect(again.scheduler.estimateWait(asId<ModelId>(A), 3)).toBe(milliseconds(8));
    expect(again.scheduler.estimateWait(asId<ModelId>(B), 3)).toBeUndefined();
  } finally {
    await opened.pop()?.[Symbol.asyncDispose]();
    rmSync(data, { recursive: true, force: true });
  }
});

test("a model whose jobs are announced is loaded ahead, once, and where there is room", async () => {
  const { catalog, scheduler, fleet } = await stage();
  const announce = (model: string) => {
    const entry = catalog.find(model);
    if (!entry) throw new Error(`no model ${model}`);
    scheduler.expect(entry);
  };
  announce(A);
  await until(() => fleet.loads.length === 1);
  const [load] = fleet.loads;
  if (!load) throw new Error("it was loaded");
  fleet.becomeReady(load.runner);
  announce(A);
  announce(B); // no room beside A, and nobody waits for it
  fleet.die(load.runner);
  await until(() => fleet.loads.length === 2);
  expect(fleet.loads.map(({ model }) => model.id)).toEqual([A, B]);
});
