// Prices as people write them, part by part: `0.02 USD/image`; and who they are for.
import { ForecourtError } from "../../core/errors.ts";
import { HIGHEST_PRICE, nanos, nanosText } from "../../core/money.ts";
import { eachIn } from "../../core/wrong-field.ts";
import type { PriceOverride } from "./account-store.ts";
import { plural } from "./budget-text.ts";
import { expectCounted } from "./counted-units.ts";
import type { Price } from "./price.ts";

const FORM = /^(\d+(?:\.\d{1,9})?)\s*([A-Z]{3})\s*(?:\/|\s+per\s+)\s*([a-z][a-z_]*)$/;
/**
 * The first part is the one that answers count. Throws `invalid_input` with what is expected, and for units that nothing
 * counts, and `bad_request` for no price and for one in two currencies.
 */
export function parsePrice(texts: readonly string[]): Price {
  const parts = eachIn("price", texts, parsePart);
  const [first] = parts;
  if (!first) throw wrong("");
  const other = parts.find(({ currency }) => currency !== first.currency);
  if (other)
    throw new ForecourtError(
      "bad_request",
      `A price is in one currency, not in ${first.currency} and ${other.currency}.`,
    );
  return { currency: first.currency, parts: parts.map(({ unit, amount }) => ({ unit, amount })) };
}

function parsePart(text: string) {
  const [, amount = "", currency = "", unit = ""] = FORM.exec(text.trim()) ?? [];
  if (unit === "" || Number(amount) > HIGHEST_PRICE) throw wrong(text);
  expectCounted(plural(unit));
  return { currency, unit, amount: nanos(Number(amount)) };
}

export const priceTexts = ({ currency, parts }: Price): string[] =>
  parts.map(({ unit, amount }) => `${nanosText(amount)} ${currency}/${unit}`);

/** Whom an override is for: a key, a team, or everybody. */
export type Holder = { key?: string | undefined; team?: string | undefined };

/** Throws `bad_request` for both at once. */
export function holderName({ key, team }: Holder): string {
  if (key !== undefined && team !== undefined)
    throw new ForecourtError("bad_request", "A price is for a key or for a team, not for both.");
  if (key !== undefined) return `key:${key}`;
  return team === undefined ? "all" : `team:${team}`;
}

export const overrideWords = ({ holder, model, price }: PriceOverride) => ({
  holder,
  model,
  price: priceTexts(price),
});

function wrong(text: string) {
  const form = "an amount of a currency for one unit, e.g. '0.02 USD/image' or '0.5 USD/gpu_second'";
  return new ForecourtError("bad_request", `The price '${text.slice(0, 100)}' should be ${form}.`);
}
