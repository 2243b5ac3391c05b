// What the box does right now: its devices, loaded models, runners, back-offs and the queue.
import type { Appliance } from "../../control/appliance.ts";
import { isoTime } from "../../core/iso-time.ts";
import { queuePage } from "./queue.ts";

type Parts = Pick<Appliance, "hardware" | "monitor" | "scheduler" | "fleet" | "byClock" | "jobs" | "supply">;

export const showStatus = ({ hardware, monitor, scheduler, fleet, byClock, jobs, supply }: Parts) =>
  Response.json({
    devices: scheduler.devices.map((place) => deviceStatus(place, monitor)),
    /** Cards that are idle, or used in another way than their best one. */
    problems: hardware.problems.map(({ name, reason, remedy }) => ({ name, reason, remedy })),
    models: scheduler.standing().map(({ model, residency, pool, popularity, waiting, loadMs, runMs }) => ({
      model,
      residency,
      pool: pool ?? null,
      requests_an_hour: Math.round(popularity * 100) / 100,
      waiting,
      estimated_wait_ms: scheduler.estimateWait(model, waiting) ?? null,
      load_ms: loadMs ?? null,
      run_ms: runMs ?? null,
    })),
    runners: fleet.runners().map(({ id, model, device, dtype, state, memory, lastUsedAt, pid }) => ({
      id,
      model,
      device,
      dtype: dtype ?? null,
      state,
      memory,
      last_used_at: isoTime(byClock(lastUsedAt)),
      pid: pid ?? null,
    })),
    back_offs: [...fleet.backOffs()].map(([model, { until, failures, reason }]) => ({
      model,
      until: isoTime(byClock(until)),
      failures,
      reason: reason.message,
    })),
    /** Weights that are fetched now; requests for their models wait for them. */
    downloads: supply.downloads().map(({ model, dtype, at, of, notice }) => ({
      model,
      dtype: dtype ?? null,
      bytes: at,
      wanted_bytes: of,
      notice: notice ?? null,
    })),
    ...queueStatus(jobs),
  });

/** Tens of thousands may wait: the numbers tell of all, the list has the first. */
const FIRST = 100;

function queueStatus(jobs: Parts["jobs"]) {
  const { running, waiting } = jobs.queue();
  const { requests, next } = queuePage(jobs, { limit: FIRST });
  return {
    requests: { running, waiting: [...waiting.values()].reduce((sum, count) => sum + count, 0) },
    queue: requests,
    /** Null where these are all; else the `after` of GET /admin/v1/queue, which has the others. */
    queue_next: next,
  };
}

function deviceStatus({ device, budget }: Parts["scheduler"]["devices"][number], monitor: Parts["monitor"]) {
  const { id, kind, name } = device;
  const reading = monitor.snapshot().devices.find((each) => each.id === id);
  return {
    ...{ id, kind, name, memory: reading?.memory ?? device.memory },
    budget,
    state: reading?.isLost ? "lost" : "working",
    utilisation: reading?.utilisation ?? null,
    celsius: reading?.celsius ?? null,
    watts: reading?.watts ?? null,
  };
}
