// The end of a job as the accounts take it down.
import { asId, type JobId, type KeyId } from "../../core/ids.ts";
import type { Job } from "../../core/job.ts";
import { type Instant, instant } from "../../core/units.ts";
import type { JobEnd } from "../accounts/job-facts.ts";
import { readPrice } from "../accounts/price.ts";
import type { EndedJob, Ending } from "./job-store.ts";

export function jobEnd(job: EndedJob, { at, ...ending }: Ending & { at: Instant }): JobEnd {
  const { id, key, model, endpoint, tags, price, createdAt } = job;
  const agreed = readPrice(price);
  const facts = {
    job: asId<JobId>(id),
    key: asId<KeyId>(key),
    model,
    endpoint,
    tags,
    ...(agreed && { price: agreed }),
  };
  const common = { ...facts, admittedAt: instant(createdAt), endedAt: at };
  if (ending.status === "cancelled") return { ...common, outcome: "cancelled" };
  if (ending.status === "failed") return { ...common, outcome: "failed", failure: ending.failure.code };
  const { units, timing, shareMs, device } = ending;
  return { ...common, outcome: "done", units, timing, shareMs, device };
}

/** Of a job that was over as it began. */
export function failedAtOnce(job: Extract<Job, { status: "failed" }>): JobEnd {
  const { id, key, model, endpoint, tags, createdAt, failure, finishedAt } = job;
  const row = { id, key, model, endpoint, tags: tags ? JSON.stringify(tags) : null, price: null, createdAt };
  return jobEnd(row, { status: "failed", failure, at: finishedAt });
}
