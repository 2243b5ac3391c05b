// `forecourt keys`: API keys, directly in the data directory's database; a running server sees changes at once.
import { Command, Option } from "commander";
import type { Limits } from "../control/accounts/account.ts";
import { keyState, stateWords } from "../control/accounts/account-words.ts";
import { limitsText } from "../control/accounts/limits-text.ts";
import { KEY_SCOPES, type Key, type KeyScope } from "../control/keys/key.ts";
import { makeKey, type NewKeyWords, readNewKey } from "../control/keys/new-key.ts";
import { matchesModel } from "../control/keys/patterns.ts";
import { PERMISSIONS, type Permission } from "../control/keys/permissions.ts";
import { systemClock } from "../core/clock.ts";
import { milliseconds } from "../core/units.ts";
import { parseDuration } from "./duration.ts";
import { wrongUsage } from "./failure.ts";
import { handOver } from "./keys/hand-over.ts";
import { keyNamed, openKeyBook, published, withKeyBook } from "./keys/key-book.ts";
import { type LimitFlags, limitsOfFlags, limitWordsOf, withLimits } from "./keys/limit-options.ts";
import { catalogueOf } from "./models/catalogue.ts";
import { type SettingsFlags, withSettings } from "./settings-flags.ts";
import { jsonText, note, printJson, printLine, table, timeText } from "./terminal.ts";

type Flags = SettingsFlags & { json?: true };

export const keys = () =>
  new Command("keys")
    .description("API keys of this box. A running server sees every change at once.")
    .addCommand(create())
    .addCommand(list())
    .addCommand(show())
    .addCommand(limit())
    .addCommand(rotate())
    .addCommand(revoke());

type CreateFlags = Flags &
  LimitFlags & {
    name: string;
    scope: KeyScope;
    team?: string;
    owner?: string;
    models?: string;
    permissions?: string;
    expires?: string;
  };

const create = () =>
  withSettings(withLimits(new Command("create")))
    .summary("make a key and print it, this once")
    .description("Makes a key and prints it. Only a hash of it is kept, so it can't be shown again.")
    .requiredOption("--name <name>", "what or whom the key is for")
    .addOption(
      new Option("--scope <scope>", "api: use models; admin: everything; metrics: read metrics")
        .choices([...KEY_SCOPES])
        .default("api"),
    )
    .option("--models <globs>", "models that it may use, e.g. 'fal-ai/*,forecourt/demo-*'")
    .option("--permissions <list>", `all that it may do, of ${PERMISSIONS.join(", ")}`)
    .option("--team <name>", "keys of one team share its limits, prices and reports")
    .option("--owner <owner>", "whom to ask about it")
    .option("--expires <duration>", "the key ends after this time, e.g. 12h or 30d")
    .option("--json", "print as JSON")
    .action(async ({ json, ...flags }: CreateFlags) => {
      const wanted = readNewKey(wordsOf(flags), systemClock.now());
      const vain = namesNothing(flags);
      using book = openKeyBook(flags, { mayBegin: true });
      const { key, secret } = makeKey(book, wanted);
      await handOver(json ? jsonText({ ...published(book, key), key: secret }) : secret, {
        takeBack: () => book.keys.revoke(key.id),
        isTakenBack: `the key ${key.name} (${key.id}), which nobody has, was revoked`,
      });
      for (const pattern of vain) note(`No model of this box is named ${pattern} yet.`);
      if (!json) note("Keep this key now: it can't be shown again. Use it as `Authorization: Key <key>`.");
    });

/** Patterns may be ahead of their models; one that was misspelled would shut the key out. */
function namesNothing({ models, ...flags }: CreateFlags): string[] {
  if (models === undefined) return [];
  const names = catalogueOf(flags)
    .catalog.list()
    .flatMap(({ model }) => [model.id, ...model.aliases]);
  return listed(models).filter((pattern) => !matchesModel([pattern], names));
}

/** Throws a usage error for what has no such words. */
function wordsOf({ name, scope, team, owner, models, permissions, expires, ...limitFlags }: CreateFlags): NewKeyWords {
  return {
    ...{ name, scope },
    ...(team !== undefined && { team }),
    ...(owner !== undefined && { owner }),
    ...(models !== undefined && { models: listed(models) }),
    ...(permissions !== undefined && { permissions: listed(permissions).map(permissionOf) }),
    ...(expires !== undefined && { expires_in: Math.ceil(parseDuration(expires, "--expires") / 1000) }),
    ...limitWordsOf(limitFlags),
  };
}

const listed = (text: string) =>
  text
    .split(",")
    .map((each) => each.trim())
    .filter(Boolean);

function permissionOf(name: string): Permission {
  const found = PERMISSIONS.find((each) => each === name);
  if (found) return found;
  throw wrongUsage(`--permissions ${name}: there is no such permission; there are ${PERMISSIONS.join(", ")}.`);
}

const list = () =>
  withSettings(new Command("list"))
    .summary("list all keys")
    .description("Lists all keys, without their secrets.")
    .option("--json", "print as JSON")
    .action(({ json, ...flags }: Flags) =>
      withKeyBook(flags, (book) => {
        const all = book.keys.list();
        if (json) return printJson(all.map((key) => published(book, key)));
        if (all.length === 0) return note("There are no keys. Make one with `forecourt keys create --name NAME`.");
        const header = ["id", "name", "scope", "team", "created (UTC)", "last used", "limits", "state"];
        printLine(
          table(
            header,
            all.map((key) => row(key, book.accounts.limitsOf({ kind: "key", id: key.id }))),
          ),
        );
      }),
    );

const show = () =>
  withSettings(new Command("show"))
    .summary("show a key, and what it has used and left")
    .description("Shows a key, without its secret, and what it has used and left of its budgets.")
    .argument("<key>", "id or name of the key")
    .option("--json", "print as JSON")
    .action((idOrName: string, { json, ...flags }: Flags) =>
      withKeyBook(flags, (book) => {
        const key = keyNamed(book, idOrName);
        const { budgets } = stateWords(book.accounts.stateOf({ kind: "key", id: key.id }));
        const shown = published(book, key);
        if (json) return printJson({ ...shown, usage: { budgets } });
        const facts = Object.entries({ ...shown, limits: null }).filter(([, value]) => value !== null);
        printLine(
          table(
            ["of the key", "is"],
            facts.map(([name, value]) => [name, String(value)]),
          ),
        );
        if (budgets.length === 0) return;
        printLine();
        const rows = budgets.map((each) => [
          each.budget,
          each.spent,
          each.reserved,
          each.remaining,
          each.resets_at ?? "",
        ]);
        printLine(table(["budget", "spent", "set aside", "left", "begins anew"], rows));
      }),
    );

const limit = () =>
  withSettings(withLimits(new Command("limit")))
    .summary("set the limits of a key")
    .description("Replaces all limits of a key by those that are given; without any it has none.")
    .argument("<key>", "id or name of the key")
    .option("--json", "print as JSON")
    .action((idOrName: string, { json, ...flags }: Flags & LimitFlags) => {
      const limits = limitsOfFlags(flags);
      withKeyBook(flags, (book) => {
        const key = keyNamed(book, idOrName);
        book.accounts.store.setLimits({ kind: "key", id: key.id }, limits);
        if (json) return printJson(published(book, key));
        printLine(`${key.name} (${key.id}): ${limitsText(limits) || "no limits"}.`);
      });
    });

const rotate = () =>
  withSettings(new Command("rotate"))
    .summary("give a key another secret")
    .description("Gives a key another secret and prints it, this once. The secret before stays good for a while.")
    .argument("<key>", "id or name of the key")
    .option("--overlap <duration>", "for how long the secret before is good too; 0 ends it at once", "24h")
    .option("--json", "print as JSON")
    .action(async (idOrName: string, { json, overlap, ...flags }: Flags & { overlap: string }) => {
      const overlapMs = overlap === "0" ? milliseconds(0) : parseDuration(overlap, "--overlap");
      using book = openKeyBook(flags);
      const { key, secret, takeBack } = book.keys.rotate(keyNamed(book, idOrName).id, overlapMs);
      await handOver(json ? jsonText({ ...published(book, key), key: secret }) : secret, {
        takeBack,
        isTakenBack: `the key ${key.name} (${key.id}) has the secret that it had before`,
      });
      if (!json) note("Keep this key now: it can't be shown again.");
    });

const revoke = () =>
  withSettings(new Command("revoke"))
    .summary("end a key")
    .description("Ends a key at once and for ever.")
    .argument("<key>", "id or name of the key")
    .option("--json", "print as JSON")
    .action((idOrName: string, { json, ...flags }: Flags) =>
      withKeyBook(flags, (book) => {
        const revoked = book.keys.revoke(keyNamed(book, idOrName).id);
        if (json) return printJson(published(book, revoked));
        printLine(`Revoked ${revoked.name} (${revoked.id}).`);
      }),
    );

function row(key: Key, limits: Limits): string[] {
  const state = keyState(key, systemClock.now());
  const until = key.expiresAt !== undefined && state === "active" ? ` until ${timeText(key.expiresAt)}` : "";
  const used = key.lastUsedAt === undefined ? "never" : timeText(key.lastUsedAt);
  return [
    key.id,
    key.name,
    key.scope,
    key.team ?? "",
    timeText(key.createdAt),
    used,
    limitsText(limits),
    state + until,
  ];
}
