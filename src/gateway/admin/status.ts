// What the box does right now: its device, runners, back-offs and open jobs.
import type { Appliance } from "../../control/appliance.ts";

type Parts = Pick<Appliance, "device" | "fleet" | "jobs">;

export const showStatus = ({ device, fleet, jobs }: Parts) =>
  Response.json({
    devices: [{ id: device.id, kind: device.kind, name: device.name, memory: device.memory }],
    runners: fleet.runners().map(({ id, model, device, state, memory, lastUsedAt, pid }) => ({
      id,
      model,
      device,
      state,
      memory,
      last_used_at: new Date(lastUsedAt).toISOString(),
      pid: pid ?? null,
    })),
    back_offs: [...fleet.backOffs()].map(([model, { until, failures, reason }]) => ({
      model,
      until: new Date(until).toISOString(),
      failures,
      reason: reason.message,
    })),
    queue: jobs.open().map(({ id, model, status, priority, createdAt, attempts }) => ({
      request_id: id,
      model,
      status,
      priority,
      attempts,
      created_at: new Date(createdAt).toISOString(),
    })),
  });
