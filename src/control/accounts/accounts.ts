// Limits, budgets, prices and usage: who may begin a job, what is set aside for it, and what it came to. `begin` and `end`
// are called in the transactions in which the job begins and ends, so that neither is ever without the other.
import { asId, type JobId, type KeyId } from "../../core/ids.ts";
import type { Model } from "../../engine/model.ts";
import type { Account, Limits } from "./account.ts";
import { type AccountStore, accountName } from "./account-store.ts";
import { createBookkeeping } from "./bookkeeping.ts";

import { type Charge, chargeIn, unitOf } from "./charge.ts";
import { createDesk, type DeskParts } from "./desk.ts";
import { createGate } from "./gate.ts";
import type { Admission, Application, Beginning, JobEnd, QueueLoad } from "./job-facts.ts";
import type { Price } from "./price.ts";
import { type AccountState, stateOf } from "./state.ts";
import { createTotalsStore, type TotalsStore } from "./totals-store.ts";
import { type FactQuery, readFacts, type UsageFact } from "./usage-facts-store.ts";
import type { UsageStore } from "./usage-store.ts";
import { type SumQuery, sumUsage, type UsageSum } from "./usage-sums-store.ts";

export type Accounts = {
  /** Throws `forbidden` for a model that is none of the key's. */
  requireModel(key: KeyId, model: Model): void;
  /** Throws `rate_limited`, `concurrency_limited`, `queue_full` or `budget_exhausted`; nothing may come between it and `begin`. */
  admit(application: Application, load: QueueLoad): Admission;
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
  /** May another job of theirs run, beside those that do? */
  mayStart(job: { key: KeyId; model: string }, running: QueueLoad["running"]): boolean;
  teamOf(key: KeyId): string | undefined;
  limitsOf(account: Account): Limits;
  /** The price that counts for a key, or the list price for all. */
  priceOf(model: Model, key?: KeyId): Price;
  /** What a finished job came to, as the ledger has it; undefined for one that is not billed itself. */
  chargeOf(job: JobId): Charge | undefined;
  /** In which unit, in the singular, its charges for a model are counted. */
  unitOf(payer: { model: string; key: string }): string;
  /** What an account has used and has left now. */
  stateOf(account: Account): AccountState;
  /** All accounts with limits, without those of keys that are over: these use nothing any more, and become many with the years. */
  limited(): (Account & { limits: Limits })[];
  store: AccountStore;
  usage: UsageStore;
  /** See usage-sums-store.ts. */
  sums(query: SumQuery): UsageSum[];
  /** See usage-facts-store.ts. */
  facts(query: FactQuery): UsageFact[];
  totals: TotalsStore;
};

export function createAccounts(parts: DeskParts): Accounts {
  const desk = createDesk(parts);
  const { clock, store, usage, rates, counters, limitsOf, teamOf, priceOf } = desk;
  return {
    ...createGate(desk),
    ...createBookkeeping(desk),
    ...{ store, usage, limitsOf, teamOf, priceOf },
    totals: createTotalsStore(parts.database),
    sums: (query) => sumUsage(parts.database, query),
    facts: (query) => readFacts(parts.database, query),
    chargeOf(job) {
      const row = usage.row(job);
      return row && chargeIn(row, desk);
    },
    unitOf: (payer) => unitOf(payer, desk),
    stateOf(account) {
      desk.refresh();
      const now = clock.now();
      return stateOf({
        account,
        limits: limitsOf(account),
        counter: (budget) => counters.of(account, budget, now),
        rate: (limit) => rates.look(accountName(account), limit, now),
      });
    },
    limited: () => store.book().limited.filter(({ kind, id }) => kind !== "key" || parts.keys.isInForce(asId(id))),
  };
}
