// `forecourt prices`: what models cost, and what some keys and teams, or all, pay instead. A running server sees changes at once.
import { Command } from "commander";
import { holderName, overrideWords, parsePrice, priceTexts } from "../control/accounts/price-text.ts";
import type { CatalogEntry } from "../control/catalog/catalog.ts";
import { unpriced } from "../control/catalog/price-units.ts";
import { matchesModel } from "../control/keys/patterns.ts";
import { ForecourtError } from "../core/errors.ts";
import { type KeyBook, keyNamed, withKeyBook } from "./keys/key-book.ts";
import { catalogueOf } from "./models/catalogue.ts";
import { type SettingsFlags, withSettings } from "./settings-flags.ts";
import { note, printJson, printLine, table } from "./terminal.ts";

type Flags = SettingsFlags & { json?: true };
type WhomFlags = { key?: string; team?: string };

export const prices = () =>
  new Command("prices")
    .description("Prices of this box's models. A running server sees every change at once.")
    .addCommand(list())
    .addCommand(set())
    .addCommand(remove());

const withWhom = (command: Command) =>
  command
    .option("--key <key>", "id or name of the key that pays it")
    .option("--team <name>", "the team whose keys pay it; without --key and --team everybody does");

const list = () =>
  withSettings(new Command("list"))
    .summary("list all prices")
    .description("Lists the prices of the models' files, and those that some or all pay instead.")
    .option("--json", "print as JSON")
    .action(({ json, ...flags }: Flags) => {
      const { catalog } = catalogueOf(flags);
      const models = catalog
        .list()
        .map(({ model }) => ({ model, id: model.id }))
        .sort((a, b) => (a.id < b.id ? -1 : 1));
      withKeyBook(
        flags,
        ({ accounts }) => {
          const overrides = accounts.store.book().overrides.map(overrideWords);
          const shown = models.map(({ id, model }) => ({ model: id, price: priceTexts(accounts.priceOf(model)) }));
          if (json) return printJson({ models: shown, overrides });
          printLine(
            table(
              ["model", "price"],
              shown.map(({ model, price }) => [model, price.join(" + ")]),
            ),
          );
          if (overrides.length === 0) return;
          printLine();
          printLine(
            table(
              ["for", "models", "price instead"],
              overrides.map(({ holder, model, price }) => [holder, model, price.join(" + ")]),
            ),
          );
        },
        { mayBegin: true },
      );
    });

const set = () =>
  withWhom(withSettings(new Command("set")))
    .summary("set a price for a key, a team or all")
    .description("Sets what a key, a team or everybody pays for models, in place of the models' own price.")
    .argument("<models>", "id of a model, or a pattern such as 'fal-ai/*'")
    .argument("<price...>", "its parts, e.g. '0.02 USD/image'; answers count the unit of the first")
    .option("--json", "print as JSON")
    .action((model: string, texts: string[], { json, key, team, ...flags }: Flags & WhomFlags) => {
      const price = parsePrice(texts);
      withKeyBook(
        flags,
        (book) => {
          const override = { holder: holderOf(book, { key, team }), model, price };
          book.accounts.store.setPrice(override);
          const models = catalogueOf(flags).catalog.list();
          const free = unpriced(models, override);
          if (json) return printJson({ ...overrideWords(override), ...(free.length > 0 && { unpriced: free }) });
          printLine(`${override.holder} pays ${priceTexts(price).join(" + ")} for ${model}.`);
          if (!isKnown(models, model)) note(`No model of this box is named ${model} yet.`);
          if (free.length > 0)
            note(`It costs nothing on models whose runs count none of these units: ${free.join(", ")}.`);
        },
        { mayBegin: true },
      );
    });

const remove = () =>
  withWhom(withSettings(new Command("remove")))
    .summary("end such a price")
    .description("Ends a price of a key, a team or all: the next one that fits counts, or the model's own.")
    .argument("<models>", "as it was set")
    .option("--json", "print as JSON")
    .action((model: string, { json, key, team, ...flags }: Flags & WhomFlags) =>
      withKeyBook(flags, (book) => {
        const which = { holder: holderOf(book, { key, team }), model };
        if (!book.accounts.store.removePrice(which)) throw noPrice(which);
        if (json) return printJson(which);
        printLine(`${which.holder} pays what others pay for ${model}.`);
      }),
    );

/** Throws `bad_request` for a key and a team at once, and `not_found` for an unknown key. */
const holderOf = (book: KeyBook, { key, team }: { key: string | undefined; team: string | undefined }) =>
  holderName({ team, ...(key !== undefined && { key: keyNamed(book, key).id }) });

const isKnown = (models: readonly CatalogEntry[], pattern: string) =>
  models.some(({ model }) => matchesModel([pattern], [model.id, ...model.aliases]));

const noPrice = ({ holder, model }: { holder: string; model: string }) =>
  new ForecourtError("not_found", `${holder} has no price of its own for ${model}; see \`forecourt prices list\`.`);
