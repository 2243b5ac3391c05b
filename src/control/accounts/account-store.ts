// Limits and prices of accounts as the database has them, in memory and fresh: other processes' changes count at once.
import { and, eq } from "drizzle-orm";
import type { Clock } from "../../core/clock.ts";
import { createMirror } from "../database/mirror.ts";
import type { Database } from "../database/open.ts";
import { accountTable, priceTable } from "./account.table.ts";
import { type Account, type AccountKind, isLimiting, type Limits } from "./account.ts";
import type { Price } from "./price.ts";

export type PriceOverride = { holder: string; model: string; price: Price };
export type LimitedAccount = Account & { limits: Limits };

/** What may be read at every request. Another object than before whenever anything of it may have changed. */
export type AccountBook = {
  limited: readonly LimitedAccount[];
  /** The same, by kind and id: a name made of both for each look would cost more than the look. */
  limits: Record<AccountKind, ReadonlyMap<string, Limits>>;
  overrides: readonly PriceOverride[];
  hasConcurrency: boolean;
};

export type AccountStore = {
  book(): AccountBook;
  /** Changes hold from the moment of return. Without limits the account is forgotten. */
  setLimits(account: Account, limits: Limits): void;
  setPrice(override: PriceOverride): void;
  /** False when there was none. */
  removePrice(which: Pick<PriceOverride, "holder" | "model">): boolean;
  /** For callers that hold a transaction. */
  insertLimits(account: Account, limits: Limits): void;
};

export const accountName = ({ kind, id }: Account) => `${kind}:${id}`;

export function createAccountStore(database: Database, clock: Clock): AccountStore {
  const { orm, write, flush } = database;
  const mirror = createMirror(database, () => readBook(database));
  const change = <T>(act: () => T): T => {
    try {
      const result = write(act);
      flush();
      return result;
    } finally {
      mirror.forget();
    }
  };
  const insertLimits = ({ kind, id }: Account, limits: Limits) => {
    const row = { limits: JSON.stringify(limits), changedAt: clock.now() };
    orm
      .insert(accountTable)
      .values({ kind, id, ...row })
      .onConflictDoUpdate({ target: [accountTable.kind, accountTable.id], set: row })
      .run();
  };
  return {
    book: mirror.get,
    insertLimits(account, limits) {
      insertLimits(account, limits);
      mirror.forget();
    },
    setLimits: (account, limits) =>
      change(() => {
        if (isLimiting(limits)) return insertLimits(account, limits);
        orm
          .delete(accountTable)
          .where(and(eq(accountTable.kind, account.kind), eq(accountTable.id, account.id)))
          .run();
      }),
    setPrice: ({ holder, model, price }) =>
      change(() => {
        const row = { price: JSON.stringify(price), changedAt: clock.now() };
        orm
          .insert(priceTable)
          .values({ holder, model, ...row })
          .onConflictDoUpdate({ target: [priceTable.holder, priceTable.model], set: row })
          .run();
      }),
    removePrice: ({ holder, model }) =>
      change(
        () =>
          orm
            .delete(priceTable)
            .where(and(eq(priceTable.holder, holder), eq(priceTable.model, model)))
            .returning({ holder: priceTable.holder })
            .get() !== undefined,
      ),
  };
}

/** The JSON columns are written above, of these types. */
function readBook({ orm }: Database): AccountBook {
  const accounts = orm.select().from(accountTable).all();
  const limited = accounts.map(({ kind, id, limits }) => ({ kind, id, limits: JSON.parse(limits) as Limits }));
  const ofKind = (wanted: AccountKind) =>
    new Map(limited.flatMap(({ kind, id, limits }) => (kind === wanted ? [[id, limits] as const] : [])));
  const prices = orm.select().from(priceTable).all();
  return {
    limited,
    limits: { key: ofKind("key"), team: ofKind("team"), model: ofKind("model") },
    overrides: prices.map(({ holder, model, price }) => ({ holder, model, price: JSON.parse(price) as Price })),
    hasConcurrency: limited.some(({ limits }) => limits.concurrency !== undefined),
  };
}
