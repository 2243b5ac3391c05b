// The names, help texts and buckets of everything that /metrics says. The only file that imports prom-client.
import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** From a tiny model's millisecond, the least that is told apart, to the hours that a job may wait in a full queue. */
const SECONDS = [
  ...[0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5],
  ...[1, 2.5, 5, 10, 30, 60, 120, 300, 900, 1800, 3600, 14_400],
];

export type MetricRegistry = ReturnType<typeof createMetricRegistry>;

/** Labels are models, devices, states and codes: nothing of persons, no names of keys, no secrets. */
export function createMetricRegistry() {
  const registry = new Registry();
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name: `forecourt_${name}`, help, labelNames, registers });
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Gauge({ name: `forecourt_${name}`, help, labelNames, registers });
  const histogram = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Histogram({ name: `forecourt_${name}`, help, labelNames, buckets: SECONDS, registers });
  return {
    text: () => registry.metrics(),
    contentType: registry.contentType,
    ...jobMetrics({ counter, histogram, gauge }),
    ...boxMetrics({ counter, histogram, gauge }),
  };
}

type Makers = {
  counter: <Label extends string>(name: string, help: string, labels: Label[]) => Counter<Label>;
  gauge: <Label extends string>(name: string, help: string, labels: Label[]) => Gauge<Label>;
  histogram: <Label extends string>(name: string, help: string, labels: Label[]) => Histogram<Label>;
};

const jobMetrics = ({ counter, gauge, histogram }: Makers) => ({
  queueSeconds: histogram("job_queue_seconds", "Wait of finished jobs for their turn.", ["model"]),
  loadSeconds: histogram("job_load_seconds", "Wait of finished jobs for their model to load.", ["model"]),
  runSeconds: histogram("job_run_seconds", "Run of finished jobs.", ["model", "device"]),
  jobs: counter("jobs_total", "Ended jobs; outcome is done, cancelled or the code of the failure.", [
    "model",
    "outcome",
  ]),
  units: counter("units_total", "What finished jobs made: images, tokens, steps, seconds...", ["model", "unit"]),
  cost: counter("cost_total", "What finished jobs came to, as the ledger has it; counted from the server's start.", [
    "model",
    "currency",
  ]),
  waiting: gauge("jobs_waiting", "Jobs in the queue.", ["model"]),
  running: gauge("jobs_running", "Jobs on runners.", []),
  oldestSeconds: gauge("queue_oldest_seconds", "How long the longest waiting job waits.", []),
});

const boxMetrics = ({ counter, gauge, histogram }: Makers) => ({
  requests: counter("http_requests_total", "Answers by face and status.", ["face", "method", "status"]),
  coldStarts: histogram("model_load_seconds", "Loads of models into runners: the cold starts.", ["model", "device"]),
  reloads: histogram(
    "model_reload_seconds",
    "Loads of popular models in quiet moments, for which nobody waited; not among the cold starts.",
    ["model", "device"],
  ),
  runnerDeaths: counter("runner_deaths_total", "Runners that ended otherwise than asked.", ["model", "reason"]),
  runners: gauge("runners", "Runner processes.", ["model", "device", "state"]),
  runnerBytes: gauge("runner_memory_bytes", "What runners hold: measured when ready, estimated before.", [
    "model",
    "device",
  ]),
  resting: gauge("models_resting", "Models that rest after their runner failed.", ["model"]),
  wrongFiles: gauge(
    "model_files_wrong",
    "Model files that are wrong, and are left out or serve what they said before.",
    [],
  ),
  downloadBytes: gauge(
    "weights_download_bytes",
    "Weights that are fetched now, for which requests wait: what arrived of them, and all that is wanted.",
    ["model", "kind"],
  ),
  deviceBytes: gauge(
    "device_memory_bytes",
    "Memory of the device: all of it, what is free, and what models may take.",
    ["device", "kind"],
  ),
  deviceLost: gauge("device_lost", "1 while the device does not answer.", ["device"]),
  deviceUse: gauge("device_utilisation_ratio", "Share of the time in which the device computes.", ["device"]),
  deviceCelsius: gauge("device_temperature_celsius", "Temperature of the device.", ["device"]),
  deviceWatts: gauge("device_power_watts", "Power that the device draws.", ["device"]),
  fallback: gauge(
    "device_fallback",
    "1 while a card of the box is idle or used in another way than its best one; by the device that is used first.",
    ["device"],
  ),
  webhooks: gauge("webhooks", "Webhooks that are not delivered, by state: waiting for their job, pending, given up.", [
    "state",
  ]),
  webhookAttempts: counter("webhook_attempts_total", "Attempts to deliver webhooks, by outcome.", ["outcome"]),
  alerts: counter("alerts_total", "Alerts raised.", ["rule"]),
  diskBytes: gauge("disk_bytes", "The disk of the data directory.", ["kind"]),
  residentBytes: gauge("process_resident_memory_bytes", "Memory of the server's own process.", []),
  heapBytes: gauge("process_heap_bytes", "JavaScript's objects in it, with those that are not collected yet.", []),
  startedAt: gauge("process_start_time_seconds", "When the server started, in seconds since 1970.", []),
});
