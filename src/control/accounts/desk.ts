// What all of the accounts' parts work on: limits, prices, counters and rows, kept fresh together.
import type { Clock } from "../../core/clock.ts";
import { asId, type KeyId } from "../../core/ids.ts";
import type { Model } from "../../engine/model.ts";
import type { Database } from "../database/open.ts";
import type { Keys } from "../keys/keys.ts";
import type { Account, Limits } from "./account.ts";
import { createAccountStore } from "./account-store.ts";
import { createCounters } from "./counters.ts";
import type { Price } from "./price.ts";
import { priceFor } from "./prices.ts";
import { createRates } from "./rates.ts";
import { createUsageStore } from "./usage-store.ts";

export type DeskParts = {
  database: Database;
  keys: Pick<Keys, "get" | "isInForce">;
  findModel: (id: string) => Model | undefined;
  clock: Clock;
};

export type Desk = ReturnType<typeof createDesk>;

export function createDesk({ database, keys, findModel, clock }: DeskParts) {
  const store = createAccountStore(database, keys);
  const usage = createUsageStore(database);
  const limitsOf = (account: Account) => store.limitsOf(account) ?? NO_LIMITS;
  const counters = createCounters({
    reservations: usage.reservations,
    // In a transaction, because another process may move rows into the sums meanwhile.
    used: (account, unit, window) => database.write(() => usage.used(account, unit, window)),
    limitsOf,
    isOver: ({ kind, id }) => kind === "key" && !keys.isInForce(asId(id)),
  });
  database.onLost(counters.forget);
  const teamOf = (key: KeyId) => keys.get(key)?.team;
  let seen: unknown;
  return {
    ...{ keys, findModel, clock, store, usage, counters, limitsOf, teamOf },
    rates: createRates(),
    /** Limits that changed, and whatever else another process wrote, make the counters void. */
    refresh() {
      const book = store.book();
      if (book !== seen) counters.forget();
      seen = book;
    },
    priceOf: (model: Model, key?: KeyId): Price =>
      priceFor(model, { key, team: key && teamOf(key) }, store.book().overridesOf),
  };
}

const NO_LIMITS: Limits = {};
