// Bringing rows and memory together: at boot, after an orderly stop, after writes that the disk refused.
import { asId, type JobId, type RunnerId } from "../../core/ids.ts";
import { isComposite } from "./composite.ts";
import { type JobRow, setbacksOf } from "./job-row.ts";
import { type JobLedger, waitingOf } from "./ledger.ts";
import { afterLostEnd, afterServerDeath } from "./retry.ts";

/** Does the endpoint of a job still lead to its model? */
export type HasEndpoint = (job: Pick<JobRow, "model" | "endpoint">) => boolean;

export type Recovery = {
  /** At boot, once: what ran when the server died waits again or fails; then the queue is read. */
  recover(): { requeued: number; ended: number; waiting: number };
  /** Reads the queue again after the writes of a turn were lost; jobs that nobody runs wait again, a bounded number of times; those that are abandoned end. */
  reload(): void;
};

export function createRecovery({ ledger, hasEndpoint }: { ledger: JobLedger; hasEndpoint: HasEndpoint }): Recovery {
  const { store, writes, waiting, attempts, abandoned, accounts, clock } = ledger;

  /** Composite jobs are taken up by who carries them out. */
  const running = () => store.withStatus("running").filter(({ model }) => !isComposite(model));
  const decide = (row: JobRow, after: typeof afterServerDeath): "requeued" | "ended" => {
    const id = asId<JobId>(row.id);
    const runner = asId<RunnerId>(row.runner ?? "");
    const verdict = after({ setbacks: setbacksOf(row), retries: row.retries });
    const { setbacks } = verdict;
    const leaving = { from: "running" as const, runner, setbacks };
    if (row.cancelRequested) store.end(id, leaving, { status: "cancelled", at: clock.now() });
    else if (verdict.type === "again") store.requeue(id, { runner, setbacks });
    else store.end(id, leaving, { status: "failed", failure: verdict.failure, at: clock.now() });
    return !row.cancelRequested && verdict.type === "again" ? "requeued" : "ended";
  };
  const readQueue = () => {
    waiting.clear();
    for (const row of store.withStatus("queued")) {
      if (hasEndpoint(row)) waiting.add(waitingOf(row, clock.now()));
      else
        store.end(
          asId<JobId>(row.id),
          { from: "queued" },
          { status: "failed", failure: endpointGone(row), at: clock.now() },
        );
    }
  };

  /** Abandoned jobs in no one's hands. */
  const leftBehind = () =>
    store
      .withStatus("queued", "running")
      .filter((row) => !isComposite(row.model) && abandoned.has(row))
      .filter(({ id, status }) => status === "queued" || !attempts.has(asId<JobId>(id)));
  const cancel = ({ id, status, runner }: JobRow) => {
    const from =
      status === "queued" ? { from: status } : { from: "running" as const, runner: asId<RunnerId>(runner ?? "") };
    return store.end(asId<JobId>(id), from, { status: "cancelled", at: clock.now() });
  };

  return {
    recover: () =>
      writes.write(() => {
        const fates = running().map((row) => decide(row, afterServerDeath));
        readQueue();
        // Jobs that were kept in memory alone left nothing behind but what was set aside for them.
        accounts.keepOnly(store.openJobs());
        const requeued = fates.filter((fate) => fate === "requeued").length;
        return { requeued, ended: fates.length - requeued, waiting: waiting.size };
      }),
    reload() {
      const ended = writes.write(() => {
        const cancelled = leftBehind().filter(cancel);
        const failed = running()
          .filter(({ id }) => !attempts.has(asId<JobId>(id)))
          .filter((row) => decide(row, afterLostEnd) === "ended");
        readQueue();
        // A lost end of a job that was kept in memory alone left what was set aside for it.
        accounts.keepOnly(store.withStatus("queued", "running").map(({ id }) => asId<JobId>(id)));
        return [...cancelled, ...failed];
      });
      for (const { id } of ended) ledger.ended(asId<JobId>(id));
    },
  };
}

const endpointGone = ({ endpoint }: JobRow) => ({
  code: "not_found" as const,
  message: `The model ${endpoint} was removed while this request waited.`,
});
