// Limits and prices of accounts as the database has them, in memory and fresh: other processes' changes count at once. Limits of keys
// that are over are read when somebody asks for them: they become many where programs change keys.
import { and, eq } from "drizzle-orm";
import { asId, type KeyId } from "../../core/ids.ts";
import { createMirror } from "../database/mirror.ts";
import type { Database } from "../database/open.ts";
import type { Keys } from "../keys/keys.ts";
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
  /** The same, by holder: each key may have its own. */
  overridesOf: ReadonlyMap<string, readonly PriceOverride[]>;
  hasConcurrency: boolean;
};

/** Grows by keys that nothing was counted of before. */
type GrowingBook = AccountBook & { add(account: LimitedAccount): void };

export type AccountStore = {
  book(): AccountBook;
  /** Of any account; undefined for one without. */
  limitsOf(account: Account): Limits | undefined;
  /** Changes hold from the moment of return. Without limits the account is forgotten. */
  setLimits(account: Account, limits: Limits): void;
  setPrice(override: PriceOverride): void;
  /** False when there was none. */
  removePrice(which: Pick<PriceOverride, "holder" | "model">): boolean;
  /** Of a key that is made in the same transaction, which the caller holds. Reading all again would be felt by who comes next. */
  insertLimits(key: KeyId, limits: Limits): void;
};

export const accountName = ({ kind, id }: Account) => `${kind}:${id}`;

export function createAccountStore(database: Database, keys: Pick<Keys, "isInForce">): AccountStore {
  const { orm, write, flush, onUndone } = database;
  const mirror = createMirror(database, () => readBook(database, keys));
  const isOf = ({ kind, id }: Account) => and(eq(accountTable.kind, kind), eq(accountTable.id, id));
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
    const row = { limits: JSON.stringify(limits) };
    orm
      .insert(accountTable)
      .values({ kind, id, ...row })
      .onConflictDoUpdate({ target: [accountTable.kind, accountTable.id], set: row })
      .run();
  };
  return {
    book: mirror.get,
    limitsOf(account) {
      const known = mirror.get().limits[account.kind].get(account.id);
      if (known || account.kind !== "key" || keys.isInForce(asId(account.id))) return known;
      const row = orm.select().from(accountTable).where(isOf(account)).get();
      return row && limitsIn(row);
    },
    insertLimits(id, limits) {
      const account = { kind: "key" as const, id };
      insertLimits(account, limits);
      onUndone(mirror.forget);
      mirror.get().add({ ...account, limits });
    },
    setLimits: (account, limits) =>
      change(() => {
        if (isLimiting(limits)) return insertLimits(account, limits);
        orm.delete(accountTable).where(isOf(account)).run();
      }),
    setPrice: ({ holder, model, price }) =>
      change(() => {
        const row = { price: JSON.stringify(price) };
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
const limitsIn = ({ limits }: { limits: string }) => JSON.parse(limits) as Limits;

/** Of so many keys with limits those that are over are looked for. */
const MANY = 1_000;

function readBook({ orm }: Database, keys: Pick<Keys, "isInForce">): GrowingBook {
  const isMeant = ({ kind, id }: Account) => kind !== "key" || keys.isInForce(asId(id));
  const rows = orm.select().from(accountTable).all().filter(isMeant);
  let limited: LimitedAccount[] = rows.map(({ kind, id, ...row }) => ({ kind, id, limits: limitsIn(row) }));
  const ofKind = (wanted: AccountKind) =>
    new Map(limited.flatMap(({ kind, id, limits }) => (kind === wanted ? [[id, limits] as const] : [])));
  const limits = { key: ofKind("key"), team: ofKind("team"), model: ofKind("model") };
  const overrides = readOverrides(orm);
  let hasConcurrency = limited.some((each) => each.limits.concurrency !== undefined);
  let sweepAt = Math.max(MANY, 2 * limited.length);
  const dropEnded = () => {
    limited = limited.filter(isMeant);
    for (const id of limits.key.keys()) if (!keys.isInForce(asId(id))) limits.key.delete(id);
    sweepAt = Math.max(MANY, 2 * limited.length);
  };
  return {
    get limited() {
      return limited;
    },
    limits,
    overrides,
    overridesOf: Map.groupBy(overrides, ({ holder }) => holder),
    get hasConcurrency() {
      return hasConcurrency;
    },
    add(account) {
      if (limited.length >= sweepAt) dropEnded();
      limited.push(account);
      hasConcurrency ||= account.limits.concurrency !== undefined;
      limits[account.kind].set(account.id, account.limits);
    },
  };
}

const readOverrides = (orm: Database["orm"]): PriceOverride[] =>
  orm
    .select()
    .from(priceTable)
    .all()
    .map(({ holder, model, price }) => ({ holder, model, price: JSON.parse(price) as Price }));
