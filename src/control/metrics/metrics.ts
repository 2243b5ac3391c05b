// Counts what happens and looks at the box when it is asked. Nothing here is waited for by a request.
import { statfs } from "node:fs/promises";
import type { Clock } from "../../core/clock.ts";
import type { Device } from "../../core/device.ts";
import type { JobOutcome } from "../../core/job.ts";
import type { Bytes } from "../../core/units.ts";
import type { UsageStore } from "../accounts/usage-store.ts";
import { RULE_NAMES } from "../alerts/rules.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { FleetEvent } from "../fleet/events.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { Hardware } from "../hardware/detect.ts";
import type { Monitor } from "../hardware/monitor.ts";
import { isComposite } from "../jobs/is-composite.ts";
import type { Jobs } from "../jobs/jobs.ts";
import type { Webhooks } from "../webhooks/webhooks.ts";
import type { Supply } from "../weights/supply.ts";
import { createMetricRegistry, type MetricRegistry } from "./registry.ts";

export type Metrics = {
  /** All of it in Prometheus' text format. */
  text(): Promise<string>;
  contentType: string;
  /** `face` is the first part of the path, one of a short list. */
  answered(answer: { face: string; method: string; status: number }): void;
  alerted(rule: string): void;
  start(): void;
  stop(): void;
};

export type MetricsParts = {
  jobs: Pick<Jobs, "follow" | "queue">;
  fleet: Pick<Fleet, "subscribe" | "runners" | "backOffs">;
  catalog: Pick<Catalog, "wrong">;
  supply: Pick<Supply, "downloads">;
  webhooks: Pick<Webhooks, "counters">;
  /** Best first, with what models may take of each. */
  devices: readonly { device: Device; budget: Bytes }[];
  monitor: Pick<Monitor, "snapshot">;
  usage: Pick<UsageStore, "last" | "spentAfter">;
  hardware: Hardware;
  /** The data directory. */
  data: string;
  clock: Clock;
  /** The fleet's, by which it tells until when models rest. */
  even?: Clock;
};

export function createMetrics(parts: MetricsParts): Metrics {
  const metrics = createMetricRegistry();
  const { jobs, fleet, usage, clock } = parts;
  // Money is counted from the ledger when somebody asks; what was spent before this process began is another's to tell.
  let counted = usage.last();
  const countMoney = () => {
    const { last, spent } = usage.spentAfter(counted);
    counted = last;
    for (const { model, currency, cost } of spent) metrics.cost.inc({ model, currency }, cost / 1e9);
  };
  const jobsTold = inLots((job: JobOutcome) => countJob(metrics, job));
  const answersTold = inLots((answer: Answer) => metrics.requests.inc(answer));
  const subscriptions: (() => void)[] = [];
  metrics.startedAt.set(clock.now() / 1000);
  // Prometheus sees no increase in a line that begins with its first event.
  for (const rule of RULE_NAMES) metrics.alerts.inc({ rule }, 0);
  return {
    contentType: metrics.contentType,
    async text() {
      countMoney();
      jobsTold.take();
      answersTold.take();
      lookAtQueue(metrics, parts);
      lookAtFleet(metrics, parts);
      lookAtDownloads(metrics, parts);
      lookAtDevices(metrics, parts);
      lookAtWebhooks(metrics, parts);
      await lookAtDisk(metrics, parts.data);
      metrics.wrongFiles.set(parts.catalog.wrong().length);
      const { rss, heapUsed } = process.memoryUsage();
      metrics.residentBytes.set(rss);
      metrics.heapBytes.set(heapUsed);
      return await metrics.text();
    },
    answered: answersTold.add,
    alerted: (rule) => metrics.alerts.inc({ rule }),
    start() {
      subscriptions.push(
        jobs.follow(jobsTold.add),
        fleet.subscribe((event) => countEvent(metrics, event)),
      );
    },
    stop() {
      for (const unsubscribe of subscriptions.splice(0)) unsubscribe();
    },
  };
}

/**
 * Counting takes some microseconds, and a fifth of that when it is done for many in a row: what is told between two scrapes is counted
 * so, at the latest when somebody looks.
 */
function inLots<Told>(count: (told: Told) => void) {
  let lot: Told[] = [];
  const take = () => {
    const told = lot;
    lot = [];
    for (const each of told) count(each);
  };
  return {
    add(told: Told) {
      lot.push(told);
      if (lot.length >= LOT) take();
    },
    take,
  };
}

const LOT = 64;

type Answer = Parameters<Metrics["answered"]>[0];

function countJob(metrics: MetricRegistry, job: JobOutcome): void {
  // Workflows bear names that callers make up and the name of their key: all are one.
  const model = isComposite(job.model) ? "workflows" : job.model;
  metrics.jobs.inc({ model, outcome: job.status === "failed" ? job.failure.code : job.status });
  if (job.status !== "done") return;
  const { queueMs, loadMs, runMs } = job.timing;
  metrics.queueSeconds.observe({ model }, queueMs / 1000);
  metrics.loadSeconds.observe({ model }, loadMs / 1000);
  metrics.runSeconds.observe({ model, device: job.device }, runMs / 1000);
  for (const [unit, amount] of Object.entries(job.units)) metrics.units.inc({ model, unit }, amount);
}

function countEvent(metrics: MetricRegistry, event: FleetEvent): void {
  if (event.type === "ready") {
    const { model, device, loadMs, isReload } = event;
    (isReload ? metrics.reloads : metrics.coldStarts).observe({ model, device }, loadMs / 1000);
  }
  if (event.type === "gone" && event.failure)
    metrics.runnerDeaths.inc({ model: event.model, reason: event.failure.code });
}

function lookAtQueue(metrics: MetricRegistry, { jobs }: MetricsParts): void {
  const { waiting, running, oldestMs = 0 } = jobs.queue();
  metrics.waiting.reset();
  for (const [model, count] of waiting) metrics.waiting.set({ model }, count);
  metrics.running.set(running);
  metrics.oldestSeconds.set(oldestMs / 1000);
}

function lookAtFleet(metrics: MetricRegistry, { fleet, clock, even = clock }: MetricsParts): void {
  metrics.runners.reset();
  metrics.runnerBytes.reset();
  metrics.resting.reset();
  for (const { model, device, state, memory } of fleet.runners()) {
    metrics.runners.inc({ model, device, state });
    metrics.runnerBytes.inc({ model, device }, memory);
  }
  for (const [model, { until }] of fleet.backOffs()) if (until > even.now()) metrics.resting.set({ model }, 1);
}

function lookAtDownloads(metrics: MetricRegistry, { supply }: MetricsParts): void {
  metrics.downloadBytes.reset();
  for (const { model, at, of } of supply.downloads()) {
    metrics.downloadBytes.inc({ model, kind: "arrived" }, at);
    metrics.downloadBytes.inc({ model, kind: "wanted" }, of);
  }
}

/** What a device does not tell has no line. */
function lookAtDevices(metrics: MetricRegistry, { devices, monitor, hardware }: MetricsParts): void {
  const readings = monitor.snapshot().devices;
  for (const gauge of ["deviceBytes", "deviceUse", "deviceCelsius", "deviceWatts"] as const) metrics[gauge].reset();
  for (const { device, budget } of devices) {
    const labels = { device: device.id };
    const reading = readings.find(({ id }) => id === device.id);
    const { memory, utilisation, celsius, watts } = reading ?? {};
    metrics.deviceBytes.set({ ...labels, kind: "total" }, (memory ?? device.memory).total);
    metrics.deviceBytes.set({ ...labels, kind: "budget" }, budget);
    if (memory) metrics.deviceBytes.set({ ...labels, kind: "free" }, memory.free);
    metrics.deviceLost.set(labels, reading?.isLost ? 1 : 0);
    if (utilisation !== undefined) metrics.deviceUse.set(labels, utilisation);
    if (celsius !== undefined) metrics.deviceCelsius.set(labels, celsius);
    if (watts !== undefined) metrics.deviceWatts.set(labels, watts);
  }
  const [first] = devices;
  if (first) metrics.fallback.set({ device: first.device.id }, hardware.problems.length > 0 ? 1 : 0);
}

function lookAtWebhooks(metrics: MetricRegistry, { webhooks }: MetricsParts): void {
  const { sinceStart, kept } = webhooks.counters();
  for (const [state, count] of Object.entries(kept)) metrics.webhooks.set({ state }, count);
  metrics.webhookAttempts.reset();
  metrics.webhookAttempts.inc({ outcome: "delivered" }, sinceStart.delivered);
  metrics.webhookAttempts.inc({ outcome: "failed" }, sinceStart.failedAttempts);
}

/** A disk that does not answer has no line: all else is told then too, and wanted most. */
async function lookAtDisk(metrics: MetricRegistry, data: string): Promise<void> {
  metrics.diskBytes.reset();
  const disk = await statfs(data).catch(() => undefined);
  if (!disk) return;
  const { bavail, blocks, bsize } = disk;
  metrics.diskBytes.set({ kind: "free" }, bavail * bsize);
  metrics.diskBytes.set({ kind: "total" }, blocks * bsize);
}
