// What watches over the box: the audit log, the metrics and the traces. They follow the others, and none of them waits for it.
import { version } from "../../package.json" with { type: "json" };
import type { Clock, Timers } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import { type Audit, createAudit } from "./audit/audit.ts";
import { memoryBudget } from "./choose-device.ts";
import type { Database } from "./database/open.ts";
import { createMetrics, type Metrics, type MetricsParts } from "./metrics/metrics.ts";
import type { Settings } from "./settings.ts";
import { createTracing, type Tracing } from "./tracing/tracing.ts";

export type Oversight = {
  audit: Audit;
  metrics: Metrics;
  tracing: Tracing;
  start(): Promise<void>;
  stop(): Promise<void>;
};

export type OversightParts = Omit<MetricsParts, "budget" | "data"> & {
  database: Database;
  settings: Pick<Settings, "data" | "memory" | "tracing">;
  clock: Clock;
  timers: Timers;
  log: Log;
};

export function createOversight(parts: OversightParts): Oversight {
  const { settings, device } = parts;
  const metrics = createMetrics({ ...parts, data: settings.data, budget: memoryBudget(device, settings.memory) });
  const tracing = createTracing({ ...parts, ...settings.tracing, version });
  return {
    tracing,
    audit: createAudit(parts),
    metrics,
    async start() {
      metrics.start();
      await tracing.start();
    },
    async stop() {
      metrics.stop();
      await tracing.stop();
    },
  };
}
