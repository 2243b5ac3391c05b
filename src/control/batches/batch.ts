// A batch as its face is told it, and what the face does for one: read its lines, carry them out, write what became of them.
import type { Failure } from "../../core/errors.ts";
import { asId, type KeyId } from "../../core/ids.ts";
import { type Instant, instant, type Milliseconds, milliseconds } from "../../core/units.ts";
import type { Jobs } from "../jobs/jobs.ts";
import type { Key } from "../keys/key.ts";
import type { BatchRow, LineEnd } from "./batch-store.ts";

export type LineProblem = { code: string; message: string; line: number | null; param: string | null };

export type Batch = Pick<
  BatchRow,
  | ("id" | "endpoint" | "input" | "origin" | "status" | "output" | "errors" | "model" | "total" | "done" | "failed")
  | ("inputTokens" | "cachedTokens" | "outputTokens")
> & {
  key: KeyId;
  metadata: Record<string, string>;
  problems: LineProblem[];
  keepFor: Milliseconds | null;
} & Record<"createdAt" | "expiresAt", Instant> &
  Record<"begunAt" | "finalizingAt" | "cancellingAt" | "endedAt", Instant | null>;

export type BatchLine = { batch: Batch; number: number; customId: string };

export type BatchFace = {
  /** What is wrong with a line is told by its field. */
  read(text: string, batch: Batch): { customId: string; model: string | null } | Pick<LineProblem, "message" | "param">;
  /** What goes wrong with it is its end too. `jobs`: those that it may have. */
  run(line: BatchLine & { text: string; caller: Key; jobs: Jobs; stop: AbortSignal }): Promise<LineEnd>;
  /** Of a line that was not carried out. */
  refuse(line: BatchLine, why: Pick<Failure, "message"> & { code: string }): string;
};

const at = (time: number | null) => (time === null ? null : instant(time));

export const batchOf = (row: BatchRow): Batch => ({
  ...row,
  key: asId<KeyId>(row.key),
  metadata: JSON.parse(row.metadata) as Record<string, string>, // as batches.ts wrote both
  problems: row.problems === null ? [] : (JSON.parse(row.problems) as LineProblem[]),
  keepFor: row.keepFor === null ? null : milliseconds(row.keepFor),
  createdAt: instant(row.createdAt),
  expiresAt: instant(row.expiresAt),
  begunAt: at(row.begunAt),
  finalizingAt: at(row.finalizingAt),
  cancellingAt: at(row.cancellingAt),
  endedAt: at(row.endedAt),
});
