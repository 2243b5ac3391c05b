// What runners report, written down: results, failures, progress, and jobs whose runner is gone.
import type { Clock } from "../../core/clock.ts";
import { type Failure, unreachable } from "../../core/errors.ts";
import { asId, type DeviceId, type JobId, type ModelId, type RunnerId } from "../../core/ids.ts";
import type { Log } from "../../core/log.ts";
import type { Step } from "../../core/pipeline.ts";
import type { Bytes, Instant } from "../../core/units.ts";
import type { FleetEvent } from "../fleet/events.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { JobWork } from "../jobs/work.ts";
import type { Ahead } from "./ahead.ts";
import type { Batch, Batches } from "./batches.ts";
import type { Experience } from "./experience.ts";
import type { Preparation } from "./preparation.ts";
import type { ServedHints } from "./served-hints.ts";

export type ReadyRunner = { at: Instant; loadMs: number; device: DeviceId };

const CPU = asId<DeviceId>("cpu");

export type OutcomeParts = {
  work: JobWork;
  fleet: Pick<Fleet, "runners">;
  preparation: Preparation;
  batches: Batches;
  readySince: Map<RunnerId, ReadyRunner>;
  affinity: Pick<ServedHints, "forget">;
  experience: Pick<Experience, "held" | "loaded" | "ran">;
  ahead: Pick<Ahead, "tried">;
  /** Devices without memory of their own. */
  inMainMemory: ReadonlySet<DeviceId>;
  clock: Clock;
  log: Log;
};

const NO_END: Failure = { code: "runner_failed", message: "The runner came to the end of its work without a result." };

/**
 * A runner that does not obey a cancel is killed, and with it what others had it do: to them that is a death from outside. The job
 * that was cancelled ends as that, whatever its attempt came to.
 */
const failureOfBystander = (failure: Failure | undefined): Failure | undefined =>
  failure?.code === "client_cancelled" ? ENDED_BESIDE : failure;
const ENDED_BESIDE: Failure = {
  code: "runner_crashed",
  message: "The runner was ended, because another request that it worked on did not end when it was to.",
  details: { signal: "SIGKILL" },
};

export function createOutcomes(parts: OutcomeParts): (event: FleetEvent) => void {
  const { work, batches, readySince, experience, ahead, clock, log } = parts;

  /** The size that a runner reports is what its model takes on the device only where that has no memory of its own. */
  const measure = (runner: RunnerId, model: ModelId, memory: Bytes) => {
    const device = readySince.get(runner)?.device;
    if (device !== undefined && parts.inMainMemory.has(device)) experience.held(model, device, memory);
  };
  const deviceOf = (runner: RunnerId) => readySince.get(runner)?.device ?? CPU;
  const onOpenJob = ({ batch, index }: { batch: Batch["id"]; index: number }, act: (job: JobId) => void) => {
    const job = batches.openJob(batch, index);
    if (job) act(job);
  };

  return (event) => {
    switch (event.type) {
      case "ready":
        readySince.set(event.runner, { at: clock.now(), loadMs: event.loadMs, device: asId<DeviceId>(event.device) });
        measure(event.runner, event.model, event.memory);
        experience.loaded(event.model, deviceOf(event.runner), event.loadMs);
        ahead.tried(event.model);
        return log.info("model ready", { model: event.model, device: event.device, loadMs: Math.round(event.loadMs) });
      case "step":
        return onOpenJob(event, (job) => {
          // Closed even if it cannot be written: then the job is taken up again, not failed for want of a result.
          if (event.step.type === "output") batches.closed(event.batch, job);
          takeStep(job, event.step, { work, device: readySince.get(event.runner)?.device ?? "" });
        });
      case "job-log":
        return onOpenJob(event, (job) => work.log(job, event.message));
      case "job-failed":
        return onOpenJob(event, (job) => {
          batches.closed(event.batch, job);
          work.fail(job, event.failure);
        });
      case "idle": {
        const batch = batches.end(event.batch);
        if (!batch) return;
        measure(event.runner, batch.model, event.memory);
        experience.ran(batch.model, deviceOf(event.runner), event.runMs / Math.max(1, batch.jobs.length));
        for (const job of batch.open) work.fail(job, NO_END);
        return tidy(batch, parts);
      }
      case "gone": {
        if (event.failure) ahead.tried(event.model);
        readySince.delete(event.runner);
        parts.affinity.forget(event.runner);
        for (const id of event.batches ?? []) {
          const batch = batches.end(id);
          if (!batch) continue;
          for (const job of batch.open) work.interrupt(job, failureOfBystander(event.failure));
          tidy(batch, parts);
        }
        return;
      }
      default:
        return unreachable(event);
    }
  };
}

function takeStep(job: JobId, step: Step<unknown>, { work, device }: { work: JobWork; device: string }): void {
  switch (step.type) {
    case "progress":
      work.progress(job, { at: step.at, of: step.of });
      break;
    case "partial":
      work.partial(job, step);
      break;
    case "output":
      work.finish(job, { output: step.value, units: step.units, device });
      break;
    default:
      unreachable(step);
  }
}

/** Fetched media are of no use after the run. */
function tidy({ jobs }: Batch, { preparation }: OutcomeParts): void {
  for (const id of jobs) preparation.forgetMedia(id);
}
