// Limits, budgets, prices and usage: who may begin a job, what is set aside for it, and what it came to. `begin` and `end`
// are called in the transactions in which the job begins and ends, so that neither is ever without the other.
import { asId, type JobId, type KeyId } from "../../core/ids.ts";
import type { Model } from "../../engine/model.ts";
import type { Account, Limits } from "./account.ts";
import { type AccountStore, accountName } from "./account-store.ts";
import { type Bookkeeping, createBookkeeping } from "./bookkeeping.ts";
import { type Charge, chargeIn, unitOf } from "./charge.ts";
import { createDesk, type DeskParts } from "./desk.ts";
import { createGate, type Gate } from "./gate.ts";
import type { Price } from "./price.ts";
import { type AccountState, stateOf } from "./state.ts";
import { createTotalsStore, type TotalsStore } from "./totals-store.ts";
import { type FactQuery, readFacts, type UsageFact } from "./usage-facts-store.ts";
import type { UsageStore } from "./usage-store.ts";
import { type SumQuery, sumUsage, type UsageSum } from "./usage-sums-store.ts";

export type Accounts = Gate &
  Bookkeeping & {
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
