// Bringing rows and memory together: at boot, after an orderly stop, after writes that the disk refused.
import { type Failure, toFailure } from "../../core/errors.ts";
import { asId, type JobId, type RunnerId } from "../../core/ids.ts";
import type { Model } from "../../engine/model.ts";
import { type Price, priceJson, readPrice } from "../accounts/price.ts";
import { isComposite } from "./composite.ts";
import type { EarlierJobs } from "./earlier.ts";
import { type OpenRow, setbacksOf } from "./job-row.ts";
import type { Ending } from "./job-store.ts";
import { type JobLedger, waitingOf } from "./ledger.ts";
import { afterLostEnd, afterServerDeath } from "./retry.ts";

/** The model that an endpoint means today. */
export type ModelAt = (endpoint: string) => Model | undefined;

export type Recovery = {
  /** At boot, once: what ran when the server died waits again or fails; then the queue is read. */
  recover(): { requeued: number; ended: number; waiting: number };
  /** Reads the queue again after the writes of a turn were lost; jobs that nobody runs wait again, a bounded number of times; those that are abandoned end. */
  reload(): void;
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
  /** A request is for its endpoint: where that means another model than before, it goes on under that one. */
  const modelToday = ({ id, key, model, endpoint, price }: OpenRow): string | Failure => {
    const found = modelAt(endpoint);
    if (!found) return endpointGone({ endpoint, model });
    if (found.id === model) return model;
    try {
      accounts.requireModel(asId(key), found);
    } catch (error) {
      return turnedAway({ endpoint, model: found.id }, toFailure(error));
    }
    store.setModel(asId(id), {
      model: found.id,
      price: priceJson(paidThen(price, accounts.priceOf(found, asId(key)))),
    });
    accounts.move(asId(id), found.id);
    return found.id;
  };
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

  return {
    recover: () =>
      writes.write(() => {
        const cutShort = running();
        const ended = cutShort.filter((row) => takeUp(row, afterServerDeath)).length;
        earlier.note(readQueue());
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

/** A budget in one currency bounds nothing in another: what was admitted in one is paid in that. */
function paidThen(agreed: string | null, now: Price): Price {
  const before = readPrice(agreed);
  return before && before.currency !== now.currency ? before : now;
}

type Place = Pick<OpenRow, "endpoint" | "model">;

const endpointGone = ({ endpoint, model }: Place): Failure => ({
  code: "not_found",
  message: `The model ${model} was removed or renamed while this request${endpoint === model ? "" : ` to ${endpoint}`} waited.`,
});

const turnedAway = ({ endpoint, model }: Place, failure: Failure): Failure => ({
  ...failure,
  message: `The endpoint ${endpoint} came to mean the model ${model} while this request waited. ${failure.message}`,
});
