// Bringing rows and memory together: at boot, after an orderly stop, after writes that the disk refused.
import { asId, type JobId, type RunnerId } from "../../core/ids.ts";
import type { EarlierJobs } from "./earlier.ts";
import { isComposite } from "./is-composite.ts";
import { type OpenRow, setbacksOf } from "./job-row.ts";
import type { Ending } from "./job-store.ts";
import { type JobLedger, waitingOf } from "./ledger.ts";
import { createModelToday, createRemodel, type ModelAt } from "./remodel.ts";
import { afterLostEnd, afterServerDeath } from "./retry.ts";

export type Recovery = {
  /** At boot, once: what ran when the server died waits again or fails; then the queue is read. */
  recover(): { requeued: number; ended: number; waiting: number };
  /** Reads the queue again after the writes of a turn were lost; jobs that nobody runs wait again, a bounded number of times; those that are abandoned end. */
  reload(): void;
  /**
   * Files of these models were changed or removed. What waits for them goes on under what its endpoint means now, and is read anew before it runs,
   * or fails with the reason; so does what runs, should it come to wait again.
   */
  remodel(models: ReadonlySet<string>): void;
};

type RecoveryParts = { ledger: JobLedger; modelAt: ModelAt; earlier: Pick<EarlierJobs, "note"> };

export function createRecovery({ ledger, modelAt, earlier }: RecoveryParts): Recovery {
  const { store, writes, waiting, attempts, abandoned, accounts, clock } = ledger;

  /** Composite jobs are taken up by who carries them out. */
  const running = () => store.withStatus("running").filter(({ model }) => !isComposite(model));
  /** What was cut short waits again, or ends. True: it has ended. */
  const takeUp = (row: OpenRow, after: typeof afterServerDeath): boolean => {
    const id = asId<JobId>(row.id);
    const runner = asId<RunnerId>(row.runner ?? "");
    const verdict = after({ setbacks: setbacksOf(row), retries: row.retries });
    const { setbacks } = verdict;
    const end = (ending: Ending) =>
      store.end(id, { from: "running", runner, setbacks }, { ...ending, at: clock.now() });
    if (abandoned.has(row)) return end({ status: "cancelled" });
    if (verdict.type === "give-up") return end({ status: "failed", failure: verdict.failure });
    store.requeue(id, { runner, setbacks });
    return false;
  };
  const endQueued = ({ id }: OpenRow, ending: Ending) =>
    store.end(asId<JobId>(id), { from: "queued" }, { ...ending, at: clock.now() });
  const modelToday = createModelToday(ledger, modelAt);
  const readQueue = (): JobId[] => {
    waiting.clear();
    return store.withStatus("queued").flatMap((row) => {
      const model = modelToday(row);
      if (typeof model !== "string") {
        endQueued(row, { status: "failed", failure: model });
        return [];
      }
      const job = ledger.evenly(waitingOf({ ...row, model }, clock.now()));
      waiting.add(job);
      return [job.id];
    });
  };

  const isOpen = (id: JobId) => waiting.get(id) !== undefined || attempts.has(id);
  return {
    remodel: createRemodel({
      ...{ ledger, modelToday, earlier, isOpen },
      endQueued: (row, failure) => endQueued(row, { status: "failed", failure }),
    }),
    recover: () =>
      writes.write(() => {
        const cutShort = running();
        const ended = cutShort.filter((row) => takeUp(row, afterServerDeath)).length;
        earlier.note(readQueue(), isOpen);
        // Jobs that were kept in memory alone left nothing behind but what was set aside for them.
        accounts.keepOnly(store.openJobs());
        return { requeued: cutShort.length - ended, ended, waiting: waiting.size };
      }),
    reload() {
      const ended = writes.write(() => {
        const cancelled = store
          .withStatus("queued")
          .filter((row) => !isComposite(row.model) && abandoned.has(row))
          .filter((row) => endQueued(row, { status: "cancelled" }));
        const cutShort = running().filter(({ id }) => !attempts.has(asId<JobId>(id)));
        const others = cutShort.filter((row) => takeUp(row, afterLostEnd));
        readQueue();
        // A lost end of a job that was kept in memory alone left what was set aside for it.
        accounts.keepOnly(store.withStatus("queued", "running").map(({ id }) => asId<JobId>(id)));
        return [...cancelled, ...others];
      });
      for (const { id } of ended) ledger.ended(asId<JobId>(id));
    },
  };
}
