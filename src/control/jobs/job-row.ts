// Rows of the job table as jobs and back.
import type { Failure } from "../../core/errors.ts";
import { asId, type FileToken, type JobId, type KeyId, type ModelId, type RunnerId } from "../../core/ids.ts";
import type { Job, JobOutcome, JobState, Timing, Wishes } from "../../core/job.ts";
import type { Units } from "../../core/pipeline.ts";
import { type Instant, instant } from "../../core/units.ts";
import type { jobTable } from "./job.table.ts";
import type { Setbacks } from "./retry.ts";

export type JobRow = typeof jobTable.$inferSelect;

/** Of a job that waits or runs, as the queue knows it. */
export type OpenRow = Omit<JobRow, "input" | "output">;

export type OpenJob = Pick<Job, "id" | "model" | "status" | "priority" | "attempts" | "createdAt" | "tags">;

export type OutcomeRow = Pick<
  JobRow,
  "id" | "model" | "createdAt" | "status" | "units" | "timing" | "device" | "failure" | "finishedAt"
>;

/** Undefined for a job that has not ended. */
export function outcomeOfRow(row: OutcomeRow): JobOutcome | undefined {
  const { status, device, failure } = row;
  const facts = {
    id: asId<JobId>(row.id),
    model: asId<ModelId>(row.model),
    createdAt: instant(row.createdAt),
    finishedAt: instant(row.finishedAt ?? 0),
  };
  if (status === "cancelled") return { ...facts, status };
  if (status === "failed") return { ...facts, status, failure: json<Failure>(failure) };
  if (status !== "done") return undefined;
  return { ...facts, status, units: json<Units>(row.units), timing: json<Timing>(row.timing), device: device ?? "" };
}

export const jobOf = (row: JobRow): Job => ({
  id: asId<JobId>(row.id),
  model: asId<ModelId>(row.model),
  endpoint: row.endpoint,
  key: asId<KeyId>(row.key),
  input: json<Record<string, unknown>>(row.input),
  priority: row.priority,
  attempts: row.attempts,
  retries: row.retries,
  files: asId<FileToken>(row.files),
  wishes: wishesOf(row),
  ...(!row.keepsPayload && { keepsPayload: false as const }),
  ...(row.tags !== null && { tags: json<Record<string, string>>(row.tags) }),
  createdAt: instant(row.createdAt),
  ...(row.startedAt !== null && { startedAt: instant(row.startedAt) }),
  ...(row.startBy !== null && { startBy: instant(row.startBy) }),
  ...stateOf(row),
});

export const wishesOf = ({ wishes }: Pick<JobRow, "wishes">) => (wishes === null ? {} : json<Wishes>(wishes));

export const openJobOf = (row: OpenRow): OpenJob => ({
  id: asId<JobId>(row.id),
  model: asId<ModelId>(row.model),
  status: row.status,
  priority: row.priority,
  attempts: row.attempts,
  createdAt: instant(row.createdAt),
  ...(row.tags !== null && { tags: json<Record<string, string>>(row.tags) }),
});

function stateOf(row: JobRow): JobState {
  const finishedAt = instant(row.finishedAt ?? 0);
  switch (row.status) {
    case "queued":
      return { status: "queued" };
    case "running":
      return { status: "running", runner: asId<RunnerId>(row.runner ?? ""), startedAt: instant(row.startedAt ?? 0) };
    case "done":
      return {
        status: "done",
        output: json(row.output),
        units: json<Units>(row.units),
        timing: json<Timing>(row.timing),
        device: row.device ?? "",
        ...(row.runner !== null && { servedFrom: asId<RunnerId>(row.runner) }),
        finishedAt,
      };
    case "failed":
      return { status: "failed", failure: json<Failure>(row.failure), finishedAt };
    case "cancelled":
      return { status: "cancelled", finishedAt };
  }
}

/** Columns that this folder wrote as JSON of that type. */
const json = <T>(text: string | null) => JSON.parse(text ?? "null") as T;

/** As callers see it, `now`: what was not to be kept is gone even before it is swept. */
export function seenJob(row: JobRow, now: Instant): Job {
  const job = jobOf(row);
  if (row.payloadUntil === null || row.payloadUntil > now) return job;
  return { ...job, input: {}, isForgotten: true, ...(job.status === "done" && { output: null }) };
}

export const setbacksOf = ({ kills, crashes, interruptions, errors, timeouts }: OpenRow): Setbacks => ({
  ...{ kills, crashes, interruptions, errors, timeouts },
});
