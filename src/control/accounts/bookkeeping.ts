// What a job sets aside as it begins and what it comes to as it ends, written in the transactions of its beginning and end.
import type { JobId } from "../../core/ids.ts";
import type { Amounts } from "./account.ts";
import type { Desk } from "./desk.ts";
import type { Admission, Beginning, JobEnd } from "./job-facts.ts";
import { costOf, type Price, quantitiesOf } from "./price.ts";
import type { NewUsageRow, Reservation } from "./usage-store.ts";

export type Bookkeeping = {
  begin(job: Beginning, admission: Admission): void;
  /** As `begin`, for a job whose beginning is not written before `keep` or `end`: needs no transaction. */
  hold(job: Beginning, admission: Admission): void;
  /** In the transaction in which the held job's beginning is written. */
  keep(job: JobId): void;
  /** In a transaction: an open job counts for another model from now on. */
  move(job: JobId, model: string): void;
  end(end: JobEnd): void;
  /** At boot, in a transaction: what is set aside for other jobs than these is free again. */
  keepOnly(open: JobId[]): void;
};

export function createBookkeeping(desk: Desk): Bookkeeping {
  const { usage, counters, limitsOf, teamOf, priceOf, findModel } = desk;
  const setAside = (job: Beginning, { amounts }: Admission, write: (reservation: Reservation) => void) => {
    if (Object.keys(amounts).length === 0) return;
    const { id, key, model, createdAt } = job;
    const reservation = {
      job: id,
      key,
      team: teamOf(key) ?? null,
      model,
      at: createdAt,
      amounts,
    };
    write(reservation);
    counters.reserved(reservation);
  };
  return {
    begin: (job, admission) => setAside(job, admission, usage.reserve),
    hold: (job, admission) => setAside(job, admission, usage.hold),
    keep: usage.keep,
    move(job, model) {
      usage.move(job, model);
      counters.forget();
    },
    end(end) {
      desk.refresh();
      const model = findModel(end.model);
      const reservation = counters.reservation(end.job);
      const team = reservation ? reservation.team : (teamOf(end.key) ?? null);
      const price = end.price ?? (model ? priceOf(model, end.key) : NO_PRICE);
      const spent = spentBy(end, price);
      if (reservation && !limitsOf({ kind: "key", id: end.key }).mayExceed) cut(spent, reservation.amounts);
      usage.add(rowOf(end, { team, spent, currency: price.currency }));
      if (reservation) usage.release(end.job);
      counters.settled({ job: end.job, key: end.key, team, model: end.model, at: end.admittedAt }, spent);
    },
    keepOnly(open) {
      const isOpen = new Set<string>(open);
      for (const { job } of usage.reservations()) if (!isOpen.has(job)) usage.release(job);
      counters.forget();
    },
  };
}

/** Of a model that is gone, where nobody wrote down what a job of it pays by. */
const NO_PRICE: Price = { currency: "USD", parts: [] };

/** Nothing for a job that failed or was cancelled. */
function spentBy(end: JobEnd, price: Price): Record<string, number> {
  if (end.outcome !== "done") return {};
  const quantities = quantitiesOf(end.units, end);
  return { ...quantities, [price.currency]: costOf(quantities, price) };
}

/** In place: never more than what was set aside. */
function cut(spent: Record<string, number>, aside: Amounts): void {
  for (const [unit, amount] of Object.entries(aside)) if ((spent[unit] ?? 0) > amount) spent[unit] = amount;
}

type Settled = { team: string | null; spent: Record<string, number>; currency: string };

function rowOf(end: JobEnd, { team, spent, currency }: Settled): NewUsageRow {
  const { job, key, model, endpoint, tags, admittedAt, endedAt, outcome } = end;
  const { [currency]: cost = 0, ...units } = spent;
  const isDone = end.outcome === "done";
  return {
    ...{ job, key, team, model, endpoint, tags, outcome, admittedAt, endedAt, cost, currency },
    failure: end.outcome === "failed" ? end.failure : null,
    device: isDone ? end.device : null,
    units: JSON.stringify(units),
    queueMs: isDone ? Math.round(end.timing.queueMs) : null,
    loadMs: isDone ? Math.round(end.timing.loadMs) : null,
    runMs: isDone ? Math.round(end.timing.runMs) : null,
  };
}
