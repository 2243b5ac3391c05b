// How a row of a job changes that is kept in memory: the same as the table's statements do.
import type { RunnerId } from "../../core/ids.ts";
import type { Instant } from "../../core/units.ts";
import type { JobRow } from "./job-row.ts";
import type { Leaving } from "./job-store.ts";

/** queued -> running. Undefined when it does not wait. */
export const afterClaim = (row: JobRow, { runner, at }: { runner: RunnerId; at: Instant }): JobRow | undefined =>
  row.status === "queued"
    ? { ...row, status: "running", runner, startedAt: at, attempts: row.attempts + 1 }
    : undefined;

/** Is it in the state that an ending leaves? */
export const isLeftBy = (row: Pick<JobRow, "status" | "runner">, leaving: Leaving): boolean =>
  row.status === leaving.from && row.runner === (leaving.from === "running" ? leaving.runner : null);
