// Who may begin a job: models of the key, limits and budgets of all accounts that it counts for.
import { ForecourtError } from "../../core/errors.ts";
import { asId, type KeyId } from "../../core/ids.ts";
import type { Instant } from "../../core/units.ts";
import type { Model } from "../../engine/model.ts";
import type { Key } from "../keys/key.ts";
import type { Keys } from "../keys/keys.ts";
import { mayUse } from "../keys/patterns.ts";
import { type Account, accountsOf, isCurrency, isLimiting } from "./account.ts";
import { accountName } from "./account-store.ts";
import { admit, type Standing } from "./admission.ts";
import type { Desk } from "./desk.ts";
import { ceilingOf } from "./estimate.ts";
import type { Admission, Application, QueueLoad } from "./job-facts.ts";
import { costOf, type Price } from "./price.ts";

export type Gate = {
  /** Throws `forbidden` for a model that is none of the key's. */
  requireModel(key: KeyId, model: Model): void;
  /** Throws `rate_limited`, `concurrency_limited`, `queue_full` or `budget_exhausted`; nothing may come between it and `begin`. */
  admit(application: Application, load: QueueLoad): Admission;
  /** May another job of theirs run, beside those that do? */
  mayStart(job: { key: KeyId; model: string }, running: QueueLoad["running"]): boolean;
};

export function createGate(desk: Desk): Gate {
  const { keys, clock, store, rates, counters, limitsOf, teamOf, priceOf } = desk;

  const limitedAccounts = (key: KeyId, model: string): Account[] =>
    store.book().limited.length === 0
      ? []
      : accountsOf({ key, team: teamOf(key), model }).filter((account) => isLimiting(limitsOf(account)));
  const standing = (account: Account, load: QueueLoad, now: Instant): Standing => ({
    account,
    label: labelOf(account, keys),
    limits: limitsOf(account),
    rate: (limit) => rates.look(accountName(account), limit, now),
    waiting: () => load.waiting(account),
    running: () => load.running(account),
    counter: (budget) => counters.of(account, budget, now),
  });

  return {
    requireModel(id, model) {
      const key = keys.get(id);
      if (!mayUse(key, model)) throw notForKey(key, model);
    },
    admit({ model, key, input, isDirect }, load) {
      desk.refresh();
      const accounts = limitedAccounts(key, model.id);
      const price = priceOf(model, key);
      if (accounts.length === 0) return { amounts: {}, price };
      const now = clock.now();
      const ceiling = ceilingOf(model, input ?? {});
      const amounts = admit({
        standings: accounts.map((account) => standing(account, load, now)),
        isDirect,
        isOver: input === undefined,
        ceiling: (unit) => (isCurrency(unit) ? ceilingCost(ceiling, price) : ceiling.of(unit)),
        currency: price.currency,
        now,
      });
      for (const account of accounts)
        if (limitsOf(account).requestsPerMinute !== undefined) rates.take(accountName(account), now);
      return { amounts, price };
    },
    mayStart({ key, model }, running) {
      if (!store.book().hasConcurrency) return true;
      return accountsOf({ key, team: teamOf(key), model }).every((account) => {
        const { concurrency } = limitsOf(account);
        return concurrency === undefined || running(account) < concurrency;
      });
    },
  };
}

const ceilingCost = (ceiling: ReturnType<typeof ceilingOf>, price: Price) =>
  costOf(ceiling.quantities(price.parts.map(({ unit }) => unit)), price);

function labelOf({ kind, id }: Account, keys: Pick<Keys, "get">): string {
  return `${kind} ${kind === "key" ? (keys.get(asId<KeyId>(id))?.name ?? id) : id}`;
}

const notForKey = (key: Key | undefined, { id }: Model) =>
  new ForecourtError(
    "forbidden",
    `This key may not use ${id}; it may use ${key?.models?.join(", ").slice(0, 200) || "no model"}.`,
  );
