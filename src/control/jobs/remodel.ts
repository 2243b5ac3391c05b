// Which model a waiting request is for today: model files are changed over a restart, and while the box serves.
import { type Failure, toFailure } from "../../core/errors.ts";
import { asId, type JobId } from "../../core/ids.ts";
import type { Model } from "../../engine/model.ts";
import { type Price, priceJson, readPrice } from "../accounts/price.ts";
import type { EarlierJobs } from "./earlier.ts";
import type { OpenRow } from "./job-row.ts";
import type { JobLedger } from "./ledger.ts";

/** The model that an endpoint means today. */
export type ModelAt = (endpoint: string) => Model | undefined;

/** In a transaction: its id, or why the request fails. */
export type ModelToday = (row: OpenRow) => string | Failure;

/** A request is for its endpoint: where that means another model than before, it goes on under that one. */
export const createModelToday =
  ({ store, accounts }: Pick<JobLedger, "store" | "accounts">, modelAt: ModelAt): ModelToday =>
  ({ id, key, model, endpoint, price }) => {
    const found = modelAt(endpoint);
    if (!found) return endpointGone({ endpoint, model });
    if (found.id === model) return model;
    try {
      accounts.requireModel(asId(key), found);
    } catch (error) {
      return turnedAway({ endpoint, model: found.id }, toFailure(error));
    }
    const paid = paidThen(price, accounts.priceOf(found, asId(key)));
    store.setModel(asId(id), { model: found.id, price: priceJson(paid) });
    accounts.move(asId(id), found.id);
    return found.id;
  };

/** A budget in one currency bounds nothing in another: what was admitted in one is paid in that. */
function paidThen(agreed: string | null, now: Price): Price {
  const before = readPrice(agreed);
  return before && before.currency !== now.currency ? before : now;
}

type Remodelling = {
  ledger: JobLedger;
  modelToday: ModelToday;
  earlier: Pick<EarlierJobs, "note">;
  isOpen(id: JobId): boolean;
  endQueued(row: OpenRow, failure: Failure): boolean;
};

/** See `Recovery.remodel`. */
export function createRemodel({ ledger, modelToday, earlier, isOpen, endQueued }: Remodelling) {
  const { store, writes, waiting, attempts } = ledger;
  /** True: it has ended. */
  const remodelOne = (row: OpenRow): boolean => {
    const model = modelToday(row);
    if (typeof model !== "string") return endQueued(row, model);
    const waits = model === row.model ? undefined : waiting.remove(asId<JobId>(row.id));
    if (waits) waiting.add({ ...waits, model: asId(model) });
    return false;
  };
  return (models: ReadonlySet<string>): void => {
    const isOf = ({ model }: { model: string }) => models.has(model);
    const running = [...attempts].filter(([, { job }]) => isOf(job)).map(([id]) => id);
    const rows = waiting.models().some((model) => models.has(model)) ? store.withStatus("queued").filter(isOf) : [];
    const ended = writes.write(() => rows.filter(remodelOne));
    for (const { id } of ended) ledger.ended(asId<JobId>(id));
    earlier.note([...rows.map(({ id }) => asId<JobId>(id)).filter(isOpen), ...running], isOpen);
    ledger.notify({ type: "waiting" });
  };
}

type Place = Pick<OpenRow, "endpoint" | "model">;

export const endpointGone = ({ endpoint, model }: Place): Failure => ({
  code: "not_found",
  message: `The model ${model} was removed or renamed while this request${endpoint === model ? "" : ` to ${endpoint}`} waited.`,
});

const turnedAway = ({ endpoint, model }: Place, failure: Failure): Failure => ({
  ...failure,
  message: `The endpoint ${endpoint} came to mean the model ${model} while this request waited. ${failure.message}`,
});
