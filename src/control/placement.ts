// Where models run: the scheduler with what it goes by, and the monitor that tells it of lost devices.
import type { Clock, Timers } from "../core/clock.ts";
import type { Device } from "../core/device.ts";
import type { Log } from "../core/log.ts";
import { milliseconds } from "../core/units.ts";
import { memoryBudget } from "./choose-device.ts";
import type { Database } from "./database/open.ts";
import type { Fleet } from "./fleet/fleet.ts";
import { createMonitor } from "./hardware/monitor.ts";
import type { BoxSample } from "./hardware/readings.ts";
import { createExperience, type Experience } from "./scheduler/experience.ts";
import { createExperienceStore } from "./scheduler/experience-store.ts";
import { createResidency } from "./scheduler/residency.ts";
import { createScheduler, type SchedulerParts } from "./scheduler/scheduler.ts";
import type { Settings } from "./settings.ts";

type Box = {
  settings: Pick<Settings, "memory" | "jobs" | "pools">;
  devices: readonly Device[];
  database: Database;
  log: Log;
  sampleBox?: () => Promise<BoxSample>;
};

type Work = Pick<
  SchedulerParts,
  "jobs" | "work" | "fleet" | "catalog" | "files" | "media" | "resolveWeights" | "weightsHere" | "clock" | "timers"
>;

export function createPlacement(box: Box, work: Work) {
  const { settings, devices, database, log } = box;
  const { clock, timers, fleet } = work;
  const { idleUnloadSeconds, lineSeconds, reload } = settings.memory;
  const experience = createExperience({ store: createExperienceStore(database), clock, timers });
  const scheduler = createScheduler({
    ...work,
    devices: devices.map((device) => ({ device, budget: memoryBudget(device, settings.memory) })),
    isLost: (id) => monitor.isLost(id),
    residency: createResidency(settings),
    experience,
    // What is unloaded for being idle is not to come back by itself.
    mayReload: reload && idleUnloadSeconds === 0,
    ...(idleUnloadSeconds > 0 && { idleUnload: seconds(idleUnloadSeconds) }),
    batchWindow: milliseconds(settings.jobs.batchWindowMs),
    lineLimit: seconds(lineSeconds),
    log,
  });
  const monitor = watchDevices(box, { fleet, experience, clock, timers, wake: scheduler.wake });
  return { scheduler, monitor };
}

const seconds = (count: number) => milliseconds(count * 1000);

type Watching = { clock: Clock; timers: Timers; fleet: Fleet; experience: Experience; wake: () => void };

/** Runners on a lost device are ended, what they ran is tried elsewhere; what they hold on GPUs is measured. */
const watchDevices = ({ devices, log, sampleBox }: Box, { fleet, experience, wake, ...time }: Watching) =>
  createMonitor({
    ...{ devices, log, ...time },
    onLost(device) {
      fleet.lose(device);
      wake();
    },
    onBack: wake,
    onProcesses(held) {
      for (const { model, device, pid = -1 } of fleet.runners()) {
        const memory = held.get(pid);
        if (memory !== undefined) experience.held(model, device, memory);
      }
    },
    ...(sampleBox && { sample: sampleBox }),
  });
