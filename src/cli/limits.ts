// `forecourt limits`: what keys, teams and models may take together. A running server sees changes at once.
import { Argument, Command } from "commander";
import { ACCOUNT_KINDS, type Account, type AccountKind, type Limits } from "../control/accounts/account.ts";
import { limitWords, stateWords } from "../control/accounts/account-words.ts";
import { limitsText } from "../control/accounts/limits-text.ts";
import { wrongUsage } from "./failure.ts";
import { type KeyBook, keyNamed, withKeyBook } from "./keys/key-book.ts";
import { type LimitFlags, limitsOfFlags, withLimits } from "./keys/limit-options.ts";
import { catalogueOf, findModel } from "./models/catalogue.ts";
import { type SettingsFlags, withSettings } from "./settings-flags.ts";
import { note, printJson, printLine, table } from "./terminal.ts";

type Flags = SettingsFlags & { json?: true };

export const limits = () =>
  new Command("limits")
    .description("Limits of keys, teams and models. A running server sees every change at once.")
    .addCommand(list())
    .addCommand(set());

const list = () =>
  withSettings(new Command("list"))
    .summary("list all limits, and what is used and left of them")
    .description("Lists keys, teams and models with limits, and what they have used and left of their budgets.")
    .option("--json", "print as JSON")
    .action(({ json, ...flags }: Flags) =>
      withKeyBook(flags, (book) => {
        const all = book.accounts.limited().map((account) => ({
          account,
          budgets: stateWords(book.accounts.stateOf(account)).budgets,
        }));
        if (json)
          return printJson(
            all.map(({ account: { kind, id, limits }, budgets }) => ({
              kind,
              id,
              limits: limitWords(limits),
              budgets,
            })),
          );
        if (all.length === 0)
          return note("There are no limits. Set some with `forecourt limits set team NAME --rpm 60`.");
        const rows = all.flatMap(({ account, budgets }) => rowsOf(book, account, budgets));
        printLine(table(["of", "name", "limits", "spent", "set aside", "left", "begins anew"], rows));
      }),
    );

type Budgets = ReturnType<typeof stateWords>["budgets"];

/** One row for what has no budget, and one for each budget. */
function rowsOf({ keys }: KeyBook, { kind, id, limits }: Account & { limits: Limits }, budgets: Budgets): string[][] {
  const name = kind === "key" ? (keys.find(id)?.name ?? id) : id;
  const others = limitsText({ ...limits, budgets: [] });
  return [
    ...(others === "" ? [] : [[kind, name, others]]),
    ...budgets.map((each) => [
      kind,
      name,
      each.budget,
      each.spent,
      each.reserved,
      each.remaining,
      each.resets_at ?? "",
    ]),
  ];
}

const set = () =>
  withSettings(withLimits(new Command("set")))
    .summary("set the limits of a key, a team or a model")
    .description("Replaces all limits of a key, a team or a model by those that are given; without any it has none.")
    .addArgument(new Argument("<kind>", "whose limits").choices([...ACCOUNT_KINDS]))
    .argument("<name>", "id or name of a key, name of a team, id of a model")
    .option("--json", "print as JSON")
    .action((kind: AccountKind, name: string, { json, ...flags }: Flags & LimitFlags) => {
      const limits = limitsOfFlags(flags);
      withKeyBook(
        flags,
        (book) => {
          const account = { kind, id: idOf(book, flags, { kind, name }) };
          book.accounts.store.setLimits(account, limits);
          if (json) return printJson({ ...account, limits: limitWords(limits) });
          printLine(`${kind} ${name}: ${limitsText(limits) || "no limits"}.`);
          if (kind === "team" && !book.keys.list().some(({ team }) => team === name))
            note(`No key is of the team ${name} yet: \`forecourt keys create --team ${name}\` makes one.`);
        },
        { mayBegin: true },
      );
    });

/**
 * Throws `not_found` and usage errors: limits of what does not exist would limit nothing. A team is there as soon as it is
 * named.
 */
function idOf(book: KeyBook, flags: SettingsFlags, { kind, name }: { kind: AccountKind; name: string }): string {
  if (kind === "key") return keyNamed(book, name).id;
  if (name === "") throw wrongUsage(`A ${kind} has a name, and "" is none.`);
  return kind === "model" ? findModel(catalogueOf(flags).catalog, name).model.id : name;
}
