// What watches over the box: the audit log and the metrics. They follow the others, and none of them waits for it.
import type { Clock } from "../core/clock.ts";
import { type Audit, createAudit } from "./audit/audit.ts";
import { memoryBudget } from "./choose-device.ts";
import type { Database } from "./database/open.ts";
import { createMetrics, type Metrics, type MetricsParts } from "./metrics/metrics.ts";
import type { Settings } from "./settings.ts";

export type Oversight = {
  audit: Audit;
  metrics: Metrics;
  start(): void;
  stop(): Promise<void>;
};

export type OversightParts = Omit<MetricsParts, "budget" | "data"> & {
  database: Database;
  settings: Pick<Settings, "data" | "memory">;
  clock: Clock;
};

export function createOversight(parts: OversightParts): Oversight {
  const { settings, device } = parts;
  const metrics = createMetrics({ ...parts, data: settings.data, budget: memoryBudget(device, settings.memory) });
  return {
    audit: createAudit(parts),
    metrics,
    start() {
      metrics.start();
    },
    async stop() {
      metrics.stop();
    },
  };
}
