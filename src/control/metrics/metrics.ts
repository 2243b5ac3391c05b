// Counts what happens and looks at the box when it is asked. Nothing here is waited for by a request.
import { statfs } from "node:fs/promises";
import type { Clock } from "../../core/clock.ts";
import type { Device } from "../../core/device.ts";
import type { Job } from "../../core/job.ts";
import type { Bytes } from "../../core/units.ts";
import type { Fleet, FleetEvent } from "../fleet/fleet.ts";
import type { Hardware } from "../hardware/detect.ts";
import type { Jobs } from "../jobs/jobs.ts";
import type { Webhooks } from "../webhooks/webhooks.ts";
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
  webhooks: Pick<Webhooks, "counters">;
  device: Device;
  budget: Bytes;
  hardware: Hardware;
  /** The data directory. */
  data: string;
  clock: Clock;
};

export function createMetrics(parts: MetricsParts): Metrics {
  const metrics = createMetricRegistry();
  const { jobs, fleet, clock } = parts;
  const subscriptions: (() => void)[] = [];
  metrics.startedAt.set(clock.now() / 1000);
  return {
    contentType: metrics.contentType,
    async text() {
      lookAtQueue(metrics, parts);
      lookAtFleet(metrics, parts);
      lookAtWebhooks(metrics, parts);
      await lookAtDisk(metrics, parts.data);
      metrics.residentBytes.set(process.memoryUsage.rss());
      return await metrics.text();
    },
    answered: ({ face, method, status }) => metrics.requests.inc({ face, method, status }),
    alerted: (rule) => metrics.alerts.inc({ rule }),
    start() {
      subscriptions.push(
        jobs.follow((job) => countJob(metrics, job)),
        fleet.subscribe((event) => countEvent(metrics, event)),
      );
    },
    stop() {
      for (const unsubscribe of subscriptions.splice(0)) unsubscribe();
    },
  };
}

function countJob(metrics: MetricRegistry, job: Job): void {
  const { model } = job;
  metrics.jobs.inc({ model, outcome: job.status === "failed" ? job.failure.code : job.status });
  if (job.status !== "done") return;
  const { queueMs, loadMs, runMs } = job.timing;
  metrics.queueSeconds.observe({ model }, queueMs / 1000);
  metrics.loadSeconds.observe({ model }, loadMs / 1000);
  metrics.runSeconds.observe({ model, device: job.device }, runMs / 1000);
  for (const [unit, amount] of Object.entries(job.units)) metrics.units.inc({ model, unit }, amount);
}

function countEvent(metrics: MetricRegistry, event: FleetEvent): void {
  if (event.type === "ready")
    metrics.coldStarts.observe({ model: event.model, device: event.device }, event.loadMs / 1000);
  if (event.type === "gone" && event.failure)
    metrics.runnerDeaths.inc({ model: event.model, reason: event.failure.code });
}

function lookAtQueue(metrics: MetricRegistry, { jobs, clock }: MetricsParts): void {
  const { waiting, running, oldest } = jobs.queue();
  metrics.waiting.reset();
  for (const [model, count] of waiting) metrics.waiting.set({ model }, count);
  metrics.running.set(running);
  metrics.oldestSeconds.set(oldest === undefined ? 0 : Math.max(0, clock.now() - oldest) / 1000);
}

function lookAtFleet(metrics: MetricRegistry, { fleet, device, budget, hardware }: MetricsParts): void {
  metrics.runners.reset();
  metrics.runnerBytes.reset();
  metrics.resting.reset();
  for (const { model, device, state, memory } of fleet.runners()) {
    metrics.runners.inc({ model, device, state });
    metrics.runnerBytes.inc({ model, device }, memory);
  }
  for (const model of fleet.backOffs().keys()) metrics.resting.set({ model }, 1);
  metrics.deviceBytes.set({ device: device.id, kind: "total" }, device.memory.total);
  metrics.deviceBytes.set({ device: device.id, kind: "budget" }, budget);
  metrics.fallback.set({ device: device.id }, hardware.problems.length > 0 ? 1 : 0);
}

function lookAtWebhooks(metrics: MetricRegistry, { webhooks }: MetricsParts): void {
  const { sinceStart, kept } = webhooks.counters();
  for (const [state, count] of Object.entries(kept)) metrics.webhooks.set({ state }, count);
  metrics.webhookAttempts.set({ outcome: "delivered" }, sinceStart.delivered);
  metrics.webhookAttempts.set({ outcome: "failed" }, sinceStart.failedAttempts);
}

async function lookAtDisk(metrics: MetricRegistry, data: string): Promise<void> {
  const { bavail, blocks, bsize } = await statfs(data);
  metrics.diskBytes.set({ kind: "free" }, bavail * bsize);
  metrics.diskBytes.set({ kind: "total" }, blocks * bsize);
}
