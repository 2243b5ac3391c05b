// Keys and accounts of a data directory, opened for one command.
import { existsSync } from "node:fs";
import { keyWords } from "../../control/accounts/account-words.ts";
import { type Accounts, createAccounts } from "../../control/accounts/accounts.ts";
import { type Database, databaseFile, openDatabase } from "../../control/database/open.ts";
import type { Key } from "../../control/keys/key.ts";
import { createKeys, type Keys } from "../../control/keys/keys.ts";
import { systemClock } from "../../core/clock.ts";
import { ForecourtError } from "../../core/errors.ts";
import { wrongUsage } from "../failure.ts";
import { type SettingsFlags, settingsOf } from "../settings-flags.ts";

export type KeyBook = { keys: Keys; accounts: Accounts; database: Database };

type Opening = { mayBegin?: boolean };

/** Throws `not_found` where there is no database yet, unless the command may begin one. */
export function withKeyBook<T>(flags: SettingsFlags, use: (book: KeyBook) => T, opening: Opening = {}): T {
  using book = openKeyBook(flags, opening);
  return use(book);
}

/** As `withKeyBook`, for commands that wait with it. */
export function openKeyBook(flags: SettingsFlags, { mayBegin = false }: Opening = {}): KeyBook & Disposable {
  const { settings } = settingsOf(flags);
  const file = databaseFile(settings.data);
  if (!mayBegin && !existsSync(file)) {
    const way = "Start `forecourt serve` once, or name the right directory with --data.";
    throw new ForecourtError("not_found", `There is no database in ${settings.data} yet. ${way}`);
  }
  const database = openDatabase({ file, synchronous: settings.database.synchronous });
  const keys = createKeys({ database, clock: systemClock });
  const accounts = createAccounts({ database, keys, findModel: () => undefined, clock: systemClock });
  return { keys, accounts, database, [Symbol.dispose]: () => database[Symbol.dispose]() };
}

/** Throws `not_found`, and a usage error for a name that several keys have. */
export function keyNamed({ keys }: Pick<KeyBook, "keys">, idOrName: string): Key {
  const alive = keys.list().filter(({ name, revokedAt }) => name === idOrName && revokedAt === undefined);
  if (alive.length > 1)
    throw wrongUsage(`${alive.length} keys are named ${idOrName}; give the id of one, see \`forecourt keys list\`.`);
  const key = alive[0] ?? keys.find(idOrName);
  if (key) return key;
  throw new ForecourtError("not_found", `There is no key ${idOrName}; see \`forecourt keys list\`.`);
}

export const published = ({ accounts }: Pick<KeyBook, "accounts">, key: Key) =>
  keyWords(key, { limits: accounts.limitsOf({ kind: "key", id: key.id }), now: systemClock.now() });
