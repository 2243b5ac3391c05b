// Rows of the job table as jobs and back.
import type { Failure } from "../../core/errors.ts";
import { asId, type FileToken, type JobId, type KeyId, type ModelId, type RunnerId } from "../../core/ids.ts";
import type { Job, JobState, Timing } from "../../core/job.ts";
import type { Units } from "../../core/pipeline.ts";
import { instant } from "../../core/units.ts";
import type { jobTable } from "./job.table.ts";

export type JobRow = typeof jobTable.$inferSelect;

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
  createdAt: instant(row.createdAt),
  ...(row.startBy !== null && { startBy: instant(row.startBy) }),
  ...stateOf(row),
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
