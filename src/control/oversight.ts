// What watches over the box: the audit log, the metrics, the traces and the alerts. They follow the others, and none of them waits for it.
import { version } from "../../package.json" with { type: "json" };
import type { Clock, Timers } from "../core/clock.ts";
import type { Device } from "../core/device.ts";
import type { Log } from "../core/log.ts";
import type { Accounts } from "./accounts/accounts.ts";
import { createSpendStore } from "./accounts/spend-store.ts";
import { createAlertStore } from "./alerts/alert-store.ts";
import { type Alerts, createAlerts } from "./alerts/alerts.ts";
import { type Audit, createAudit } from "./audit/audit.ts";
import { memoryBudget } from "./choose-device.ts";
import type { Database } from "./database/open.ts";
import type { Keys } from "./keys/keys.ts";
import { createMetrics, type Metrics, type MetricsParts } from "./metrics/metrics.ts";
import type { Settings } from "./settings.ts";
import { createTracing, type Tracing } from "./tracing/tracing.ts";
import type { Webhooks } from "./webhooks/webhooks.ts";

export type Oversight = {
  audit: Audit;
  metrics: Metrics;
  tracing: Tracing;
  alerts: Alerts;
  start(): Promise<void>;
  stop(): Promise<void>;
};

export type OversightParts = Omit<MetricsParts, "devices" | "usage" | "data"> & {
  devices: readonly Device[];
  webhooks: Pick<Webhooks, "send">;
  database: Database;
  accounts: Pick<Accounts, "limited" | "stateOf" | "usage">;
  keys: Pick<Keys, "get">;
  settings: Pick<Settings, "data" | "memory" | "tracing" | "alerts" | "webhooks">;
  clock: Clock;
  sweepClock?: Clock;
  timers: Timers;
  log: Log;
};

export function createOversight(parts: OversightParts): Oversight {
  const { settings, accounts } = parts;
  const metrics = createMetrics({
    ...parts,
    data: settings.data,
    usage: accounts.usage,
    devices: parts.devices.map((device) => ({ device, budget: memoryBudget(device, settings.memory) })),
  });
  const tracing = createTracing({ ...parts, ...settings.tracing, version });
  const alerts = createAlerts({
    ...parts,
    store: createAlertStore(parts.database),
    spendIn: createSpendStore(parts.database),
    send: parts.webhooks.send,
    raised: metrics.alerted,
  });
  return {
    alerts,
    tracing,
    audit: createAudit(parts),
    metrics,
    async start() {
      metrics.start();
      alerts.start();
      await tracing.start();
    },
    async stop() {
      metrics.stop();
      await alerts.stop();
      await tracing.stop();
    },
  };
}
