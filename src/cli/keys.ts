// `forecourt keys`: API keys, directly in the data directory's database; a running server sees changes at once.
import { existsSync } from "node:fs";
import { Command, Option } from "commander";
import { databaseFile, openDatabase } from "../control/database/open.ts";
import { createKeys, type Key, type KeyScope, type Keys } from "../control/keys/keys.ts";
import { systemClock } from "../core/clock.ts";
import { ForecourtError } from "../core/errors.ts";
import { instant } from "../core/units.ts";
import { parseDuration } from "./duration.ts";
import { type SettingsFlags, settingsOf, withSettings } from "./settings-flags.ts";
import { note, printJson, printLine, table, timeText } from "./terminal.ts";

type Flags = SettingsFlags & { json?: true };

export const keys = () =>
  new Command("keys")
    .description("API keys of this box. A running server sees every change at once.")
    .addCommand(create())
    .addCommand(list())
    .addCommand(revoke());

const create = () =>
  withSettings(new Command("create"))
    .summary("make a key and print it, this once")
    .description("Makes a key and prints it. Only a hash of it is kept, so it can't be shown again.")
    .requiredOption("--name <name>", "what or whom the key is for")
    .addOption(
      new Option("--scope <scope>", "api: use models; admin: everything; metrics: read metrics")
        .choices(["api", "admin", "metrics"] satisfies KeyScope[])
        .default("api"),
    )
    .option("--expires <duration>", "the key ends after this time, e.g. 12h or 30d")
    .option("--json", "print as JSON")
    .action(({ name, scope, expires, json, ...flags }: Flags & { name: string; scope: KeyScope; expires?: string }) => {
      const lifetime = expires === undefined ? undefined : parseDuration(expires, "--expires");
      const expiresAt = lifetime === undefined ? {} : { expiresAt: instant(systemClock.now() + lifetime) };
      const { key, secret } = withKeys(flags, (keys) => keys.create({ name, scope, ...expiresAt }), { mayBegin: true });
      if (json) return printJson({ ...published(key), key: secret });
      printLine(secret);
      note("Keep this key now: it can't be shown again. Use it as `Authorization: Key <key>`.");
    });

const list = () =>
  withSettings(new Command("list"))
    .summary("list all keys")
    .description("Lists all keys, without their secrets.")
    .option("--json", "print as JSON")
    .action(({ json, ...flags }: Flags) => {
      const all = withKeys(flags, (keys) => keys.list());
      if (json) return printJson(all.map(published));
      if (all.length === 0) return note("There are no keys. Make one with `forecourt keys create --name NAME`.");
      printLine(table(["id", "name", "scope", "created", "last used", "state"], all.map(row)));
    });

const revoke = () =>
  withSettings(new Command("revoke"))
    .summary("end a key")
    .description("Ends a key at once and for ever.")
    .argument("<key>", "id or name of the key")
    .option("--json", "print as JSON")
    .action((idOrName: string, { json, ...flags }: Flags) => {
      const revoked = withKeys(flags, (keys) => {
        const key = keys.find(idOrName);
        if (!key) throw new ForecourtError("not_found", `There is no key ${idOrName}; see \`forecourt keys list\`.`);
        return keys.revoke(key.id);
      });
      if (json) return printJson(published(revoked));
      printLine(`Revoked ${revoked.name} (${revoked.id}).`);
    });

/** Throws `not_found` where there is no database yet, unless the command may begin one. */
function withKeys<T>(flags: SettingsFlags, use: (keys: Keys) => T, { mayBegin = false } = {}): T {
  const { settings } = settingsOf(flags);
  const file = databaseFile(settings.data);
  if (!mayBegin && !existsSync(file)) {
    const way = "Start `forecourt serve` once, or name the right directory with --data.";
    throw new ForecourtError("not_found", `There is no database in ${settings.data} yet. ${way}`);
  }
  using database = openDatabase({ file, synchronous: settings.database.synchronous });
  return use(createKeys({ database, clock: systemClock }));
}

const stateOf = ({ revokedAt, expiresAt }: Key) => {
  if (revokedAt !== undefined) return "revoked";
  return expiresAt !== undefined && expiresAt <= systemClock.now() ? "expired" : "active";
};

const published = (key: Key) => {
  const iso = (at: number | undefined) => (at === undefined ? null : new Date(at).toISOString());
  return {
    id: key.id,
    name: key.name,
    scope: key.scope,
    state: stateOf(key),
    created_at: iso(key.createdAt),
    expires_at: iso(key.expiresAt),
    revoked_at: iso(key.revokedAt),
    last_used_at: iso(key.lastUsedAt),
  };
};

function row(key: Key): string[] {
  const until = key.expiresAt !== undefined && stateOf(key) === "active" ? ` until ${timeText(key.expiresAt)}` : "";
  const used = key.lastUsedAt === undefined ? "never" : timeText(key.lastUsedAt);
  return [key.id, key.name, key.scope, timeText(key.createdAt), used, stateOf(key) + until];
}
