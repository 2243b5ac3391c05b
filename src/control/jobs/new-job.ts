// A submission become a job, and a job become a row of the table.
import type { Failure } from "../../core/errors.ts";
import { asId, type ModelId, newFileToken, newJobId } from "../../core/ids.ts";
import type { Job } from "../../core/job.ts";
import { instant } from "../../core/units.ts";
import type { Model } from "../../engine/model.ts";
import { isOpen } from "../storage/acl.ts";
import type { JobRow } from "./job-row.ts";
import { PAYLOAD_KEPT } from "./job-store.ts";
import type { Submission } from "./submission.ts";

export type Checked = { input: Record<string, unknown>; failure?: Failure };

type Granted = { checked: Checked; now: Job["createdAt"]; retries: number };

/** What a job is made of; of the model its id alone counts here. */
export type Wanted = Omit<Submission, "model" | "input" | "rejectInvalid"> & { model: Pick<Model, "id"> };

/** Failed from the start when the input is wrong. `retries`: what the box grants. */
export function newJob(submission: Wanted, { checked, now, retries }: Granted): Job {
  const { model, endpoint, key, priority = "normal", startTimeout, retry = true, wishes = {}, tags } = submission;
  const { input, failure } = checked;
  const { retries: asked, ...others } = wishes;
  const common = {
    id: submission.id ?? newJobId(),
    model: asId<ModelId>(model.id),
    endpoint,
    key,
    input,
    priority,
    attempts: 0,
    retries: retry ? retries : 0,
    files: newFileToken(),
    wishes: { ...others, ...(retry && asked && { retries: asked }) },
    ...(tags && { tags }),
    createdAt: now,
    ...(startTimeout !== undefined && { startBy: instant(now + startTimeout) }),
  };
  return failure ? { ...common, status: "failed", failure, finishedAt: now } : { ...common, status: "queued" };
}

type Keeping = Pick<Submission, "keepsPayload" | "lifecycle">;

export function rowOf(job: Job, { keepsPayload = true, lifecycle }: Keeping): JobRow {
  const { id, model, endpoint, key, priority, attempts, retries, files, createdAt, startBy = null } = job;
  const isFailed = job.status === "failed";
  return {
    ...NEW_ROW,
    ...{ id, model, endpoint, key, priority, attempts, retries, files, createdAt, startBy, keepsPayload },
    input: JSON.stringify(job.input),
    filesAcl: lifecycle && !isOpen(lifecycle.acl) ? JSON.stringify(lifecycle.acl) : null,
    filesKeepFor: lifecycle?.keepFor ?? null,
    tags: job.tags ? JSON.stringify(job.tags) : null,
    wishes: Object.keys(job.wishes).length > 0 ? JSON.stringify(job.wishes) : null,
    status: isFailed ? "failed" : "queued",
    failure: isFailed ? JSON.stringify(job.failure) : null,
    finishedAt: isFailed ? job.finishedAt : null,
    payloadUntil: isFailed && !keepsPayload ? job.finishedAt + PAYLOAD_KEPT : null,
  };
}

const NEW_ROW = {
  ...{ kills: 0, crashes: 0, interruptions: 0, errors: 0, timeouts: 0, cancelRequested: false },
  ...{ runner: null, startedAt: null, output: null, units: null, timing: null, device: null },
  ...{ filesUntil: null, price: null, held: 0 },
};
