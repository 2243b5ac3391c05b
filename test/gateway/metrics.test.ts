// What Prometheus reads: who may, what is counted, and what must never be in it.
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { BoxSample, DeviceReading } from "../../src/control/hardware/readings.ts";
import { createMetrics } from "../../src/control/metrics/metrics.ts";
import { systemClock } from "../../src/core/clock.ts";
import { asId } from "../../src/core/ids.ts";
import { bytes, instant, MIB } from "../../src/core/units.ts";
import { createTestAppliance } from "../support/create-test-appliance.ts";
import { createHardware } from "../support/gpu-box.ts";
import { createTestClock } from "../support/test-clock.ts";
import { createTestGateway, type TestGateway } from "../support/test-gateway.ts";
import { until } from "../support/until.ts";

let gateway: TestGateway;
let prometheus = "";
beforeAll(async () => {
  gateway = await createTestGateway();
  prometheus = gateway.keys.create({ name: "secret-project-prometheus", scope: "metrics" }).secret;
});
afterAll(() => gateway[Symbol.asyncDispose]());

const text = async (key = prometheus) => await (await gateway.ask("GET", "/metrics", { key })).text();

/** Value of the line with this name and exactly these labels, in any order. */
function metric(metrics: string, name: string, labels: Record<string, string> = {}): number | undefined {
  for (const line of metrics.split("\n")) {
    const [, found, list = "", value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (found !== name) continue;
    const pairs = Object.fromEntries([...list.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, is]) => [key, is]));
    if (Bun.deepEquals(pairs, labels)) return Number(value);
  }
  return undefined;
}

test("keys with the scope metrics or admin may read it, others may not", async () => {
  expect((await gateway.ask("GET", "/metrics", { key: "" })).status).toBe(401);
  expect((await gateway.ask("GET", "/metrics")).status).toBe(403);
  expect((await gateway.ask("GET", "/metrics", { key: gateway.adminKey })).status).toBe(200);
  const response = await gateway.ask("GET", "/metrics", { key: prometheus });
  expect(response.headers.get("content-type")).toStartWith("text/plain; version=0.0.4");
});

test("requests, units and times of each model are counted once each", async () => {
  const model = "forecourt/echo";
  const before = await text();
  const done = metric(before, "forecourt_jobs_total", { model, outcome: "done" }) ?? 0;
  for (let n = 0; n < 3; n++) await gateway.ask("POST", "/run/forecourt/echo", { body: { prompt: "hi" } });
  const after = await text();
  expect(metric(after, "forecourt_jobs_total", { model, outcome: "done" })).toBe(done + 3);
  expect(metric(after, "forecourt_units_total", { model, unit: "requests" })).toBe(done + 3);
  for (const part of ["queue", "load"])
    expect(metric(after, `forecourt_job_${part}_seconds_count`, { model })).toBe(done + 3);
  expect(metric(after, "forecourt_job_run_seconds_count", { model, device: "cpu" })).toBe(done + 3);
  expect(metric(after, "forecourt_model_load_seconds_count", { model, device: "cpu" })).toBe(1);
  expect(metric(after, "forecourt_http_requests_total", { face: "run", method: "POST", status: "200" })).toBe(done + 3);
});

test("every card has lines of its own, with what is free on it now", async () => {
  const { hardware, slots } = createHardware(2);
  const [first = "", second = ""] = slots;
  const card = {
    memory: { total: bytes(8192 * MIB), free: bytes(5000 * MIB) },
    utilisation: 0.5,
    celsius: 61,
    watts: 250,
  };
  const sample: BoxSample = { cards: new Map([[first, card]]), silent: new Set(), processor: {}, processes: new Map() };
  await using box = await createTestAppliance({ hardware, sampleBox: async () => sample });
  await until(() => box.monitor.snapshot().devices[1]?.isLost === true);
  const metrics = await box.oversight.metrics.text();
  const of = (device: string, name: string, labels = {}) =>
    metric(metrics, `forecourt_device_${name}`, { device, ...labels });
  expect(second).not.toBe("");
  expect(of("cuda:0", "memory_bytes", { kind: "free" })).toBe(5000 * MIB);
  expect(of("cuda:0", "memory_bytes", { kind: "total" })).toBe(8192 * MIB);
  expect(of("cuda:1", "memory_bytes", { kind: "total" })).toBe(8192 * MIB);
  expect(of("cuda:1", "memory_bytes", { kind: "free" })).toBeUndefined();
  expect([of("cuda:0", "lost"), of("cuda:1", "lost")]).toEqual([0, 1]);
  expect([of("cuda:0", "utilisation_ratio"), of("cuda:0", "temperature_celsius"), of("cuda:0", "power_watts")]).toEqual(
    [0.5, 61, 250],
  );
});

test("a wrong input in the queue, a failure and a cancelled job are outcomes of their own", async () => {
  const model = "forecourt/echo";
  await gateway.ask("POST", "/queue/forecourt/echo", { body: { prompt: 7 } });
  expect(metric(await text(), "forecourt_jobs_total", { model, outcome: "invalid_input" })).toBe(1);
  gateway.holdRuns();
  const answer = gateway.ask("POST", "/run/forecourt/echo", { body: { prompt: "hi" } });
  const run = await gateway.nextRun();
  expect(metric(await text(), "forecourt_jobs_running")).toBe(1);
  run.fail({ code: "device_lost", message: "The card is gone." });
  await answer;
  expect(metric(await text(), "forecourt_jobs_total", { model, outcome: "device_lost" })).toBe(1);
  expect(metric(await text(), "forecourt_jobs_running")).toBe(0);
});

test("the queue, runners, memory, disk and webhooks are told as they are", async () => {
  const first = await gateway.ask("POST", "/queue/forecourt/echo", { body: { prompt: "runs" } });
  await gateway.ask("POST", "/queue/forecourt/echo", { body: { prompt: "waits" } });
  const run = await gateway.nextRun();
  const metrics = await text();
  expect(metric(metrics, "forecourt_jobs_waiting", { model: "forecourt/echo" })).toBe(1);
  expect(metric(metrics, "forecourt_runners", { model: "forecourt/echo", device: "cpu", state: "busy" })).toBe(1);
  expect(metric(metrics, "forecourt_device_memory_bytes", { device: "cpu", kind: "total" })).toBe(8192 * 1024 * 1024);
  expect(metric(metrics, "forecourt_device_fallback", { device: "cpu" })).toBe(0);
  expect(metric(metrics, "forecourt_disk_bytes", { kind: "free" })).toBeGreaterThan(0);
  expect(metric(metrics, "forecourt_webhooks", { state: "pending" })).toBe(0);
  expect(metric(metrics, "forecourt_process_resident_memory_bytes")).toBeGreaterThan(1e6);
  expect(metric(metrics, "forecourt_process_heap_bytes")).toBeGreaterThan(1e5);
  run.finish({ prompt: "runs", steps: 1 });
  (await gateway.nextRun()).finish({ prompt: "waits", steps: 1 });
  expect(first.status).toBe(200);
});

test("a model rests until it may be loaded again, and no longer", async () => {
  await using box = await createTestAppliance();
  const reason = { code: "runner_failed" as const, message: "The graph is broken." };
  const now = systemClock.now();
  box.fleet.rest(asId("acme/rests"), { until: instant(now + 60_000), failures: 3, reason });
  box.fleet.rest(asId("acme/rested"), { until: instant(now - 1), failures: 1, reason });
  const metrics = await box.oversight.metrics.text();
  expect(metric(metrics, "forecourt_models_resting", { model: "acme/rests" })).toBe(1);
  expect(metric(metrics, "forecourt_models_resting", { model: "acme/rested" })).toBeUndefined();
});

test("how long a model rests does not depend on the clock being set", async () => {
  const clock = createTestClock();
  await using box = await createTestAppliance({ clock });
  const reason = { code: "runner_failed" as const, message: "The graph is broken." };
  box.fleet.rest(asId("acme/rests"), { until: instant(clock.now() + 60_000), failures: 3, reason });
  const isResting = async () =>
    metric(await box.oversight.metrics.text(), "forecourt_models_resting", { model: "acme/rests" });
  clock.jump(3_600_000);
  expect(await isResting()).toBe(1);
  clock.jump(-7_200_000);
  clock.advance(60_001);
  expect(await isResting()).toBeUndefined();
});

test("money is what the ledger charged, from the server's start, each row once", async () => {
  const labels = { model: "forecourt/echo", currency: "USD" };
  const before = metric(await text(), "forecourt_cost_total", labels) ?? 0;
  for (let n = 0; n < 3; n++) {
    const answer = gateway.ask("POST", "/run/forecourt/echo", { body: { prompt: "hi" } });
    (await gateway.nextRun()).finish({ prompt: "hi", steps: 1 });
    await answer;
  }
  const charged = gateway.database.sqlite
    .query<{ cost: number }, []>(
      "SELECT sum(cost) / 1e9 AS cost FROM (SELECT cost FROM usage ORDER BY seq DESC LIMIT 3)",
    )
    .get()?.cost;
  expect(charged).toBeGreaterThan(0);
  expect(metric(await text(), "forecourt_cost_total", labels)).toBe(before + (charged ?? 0));
  expect(metric(await text(), "forecourt_cost_total", labels)).toBe(before + (charged ?? 0));
});

test("neither secrets nor names or ids of keys are in it", async () => {
  const metrics = await text();
  for (const key of gateway.keys.list()) {
    expect(metrics).not.toContain(key.id);
    expect(metrics).not.toContain(`"${key.name}"`);
  }
  for (const secret of [prometheus, gateway.apiKey, gateway.adminKey])
    expect(metrics).not.toContain(secret.split(":")[1] ?? "none");
});

test("workflows are counted as one, whatever callers call them", async () => {
  await using box = await createTestGateway();
  const echo = { type: "run", app: "forecourt/echo", input: { prompt: "hi" } };
  const contents = { nodes: { one: echo }, output: { all: "$one.prompt" } };
  for (const name of ["secret-plan", "other-plan"]) {
    const made = await box.ask("POST", "/platform/v1/workflows", { body: { name, title: "A plan", contents } });
    const { endpoint_id } = (await made.json()).workflow;
    expect((await box.ask("POST", `/run/${endpoint_id}`, { body: {} })).status).toBe(200);
  }
  box.holdRuns();
  const last = box.ask("POST", "/run/workflows/execute", { body: { workflow: contents } });
  const part = await box.nextRun();
  expect(metric(await box.oversight.metrics.text(), "forecourt_jobs_running")).toBe(1);
  part.finish({ prompt: "hi", steps: 1 });
  await last;
  const metrics = await box.oversight.metrics.text();
  expect(metric(metrics, "forecourt_jobs_running")).toBe(0);
  expect(metric(metrics, "forecourt_jobs_total", { model: "workflows", outcome: "done" })).toBe(3);
  expect(metrics).not.toContain("-plan");
  expect(metrics).not.toContain(box.keys.list().find(({ scope }) => scope === "api")?.name ?? "none");
});

test("a face is the same by its path and by fal's host name for it, and no model's name is one", async () => {
  await using box = await createTestGateway();
  const body = { prompt: "hi" };
  await box.ask("POST", "/run/forecourt/echo", { body });
  await box.ask("POST", "http://fal.run/forecourt/echo", { body });
  await box.ask("GET", "http://api.fal.ai/v1/models");
  await box.ask("GET", "http://queue.fal.run/files/none");
  await box.ask("POST", "/mcp", { body: {} });
  const metrics = await box.oversight.metrics.text();
  const faces = [...metrics.matchAll(/^forecourt_http_requests_total{face="(.+?)",.* (\d+)$/gm)];
  expect(Object.fromEntries(faces.map(([, face, count]) => [face, Number(count)]))).toEqual({
    ...{ run: 2, platform: 1, files: 1, mcp: 1 },
  });
});

test("what a device told before it fell silent is told no longer", async () => {
  await using box = await createTestAppliance();
  const { device } = box;
  const heard = { celsius: 61, watts: 250, utilisation: 0.5 };
  let reading: DeviceReading = { id: device.id, isLost: false, silentLooks: 0, ...heard };
  const metrics = createMetrics({
    ...{
      ...box,
      ...box.oversight,
      devices: [{ device, budget: bytes(1) }],
      usage: box.accounts.usage,
      clock: systemClock,
    },
    monitor: { snapshot: () => ({ ...box.monitor.snapshot(), devices: [reading] }) },
  });
  const told = async () => {
    const text = await metrics.text();
    return ["temperature_celsius", "power_watts", "utilisation_ratio"].map((name) =>
      metric(text, `forecourt_device_${name}`, { device: device.id }),
    );
  };
  expect(await told()).toEqual([61, 250, 0.5]);
  reading = { id: device.id, isLost: true, silentLooks: 3 };
  expect(await told()).toEqual([undefined, undefined, undefined]);
});

test("a disk that cannot be looked at takes nothing else away", async () => {
  await using box = await createTestAppliance();
  const metrics = createMetrics({
    ...box,
    ...box.oversight,
    devices: [],
    usage: box.accounts.usage,
    data: "/none",
    clock: systemClock,
  });
  const told = await metrics.text();
  expect(told).not.toContain("forecourt_disk_bytes{");
  expect(metric(told, "forecourt_jobs_running")).toBe(0);
});

test("whatever callers make up, labels stay few", async () => {
  for (let n = 0; n < 50; n++) {
    await gateway.ask("GET", `/made-up-${n}/path`);
    await gateway.ask("POST", `/run/no/such-model-${n}`, { body: {} });
  }
  const metrics = await text();
  expect(metrics).not.toContain("made-up");
  expect(metrics).not.toContain("such-model");
  expect(metric(metrics, "forecourt_http_requests_total", { face: "other", method: "GET", status: "404" })).toBe(50);
});
