// Prices over HTTP, for admins: what models cost by their files, and what some keys and teams, or all, pay instead.
import { holderName, overrideWords, parsePrice, priceTexts } from "../../control/accounts/price-text.ts";
import type { Appliance } from "../../control/appliance.ts";
import { unpriced } from "../../control/catalog/price-units.ts";
import { ForecourtError } from "../../core/errors.ts";
import { asId, type KeyId } from "../../core/ids.ts";
import { parseExactly, Type } from "../../core/schema.ts";
import { pageIn, pageQuery, readQuery } from "./read-query.ts";

type PriceBox = Pick<Appliance, "accounts" | "catalog" | "keys">;

const name = (description: string) => Type.Optional(Type.String({ minLength: 1, maxLength: 200, description }));
const whom = {
  model: Type.String({ minLength: 1, maxLength: 200, description: "A pattern of model ids, e.g. fal-ai/*" }),
  key: name("Id of the key that pays it; absent, with `team` absent too: everybody"),
  team: name("Name of the team whose keys pay it"),
};

export const priceSchema = Type.Object({
  ...whom,
  price: Type.Array(Type.String({ maxLength: 100 }), {
    minItems: 1,
    maxItems: 10,
    description: "Its parts, e.g. '0.02 USD/image'; answers count the unit of the first",
  }),
});

export const priceQuery = Type.Object(whom);

export const pricePage = pageQuery(1000, 10_000);

/** A page has models first, then what is paid instead; `next` is null at the end. Throws `invalid_input`. */
export function listPrices({ accounts, catalog }: PriceBox, query: URLSearchParams): Response {
  const models = catalog.list().map(({ model }) => ({ place: `0 ${model.id}`, model }));
  const overrides = accounts.store.book().overrides.map((override) => ({
    place: `1 ${override.holder} ${override.model}`,
    override,
  }));
  const { shown, next } = pageIn([...models, ...overrides], ({ place }) => place, readQuery(pricePage, query));
  return Response.json({
    models: shown.flatMap((each) =>
      "model" in each ? [{ model: each.model.id, price: priceTexts(accounts.priceOf(each.model)) }] : [],
    ),
    overrides: shown.flatMap((each) => ("override" in each ? [overrideWords(each.override)] : [])),
    next,
  });
}

/**
 * Counts for every request that comes in from now on; those that came before pay by the price that they came for. `unpriced` in the answer: models of the
 * pattern that cost nothing then, because their runs count none of its units. Throws `invalid_input`, `bad_request` and `not_found`.
 */
export function setPrice({ accounts, catalog, keys }: PriceBox, body: unknown): Response {
  const { model, key, team, price } = parseExactly(priceSchema, body);
  if (key !== undefined && !keys.get(asId<KeyId>(key)))
    throw new ForecourtError("not_found", `There is no key ${key.slice(0, 100)}.`);
  const override = { holder: holderName({ key, team }), model, price: parsePrice(price) };
  accounts.store.setPrice(override);
  const free = unpriced(catalog.list(), override);
  return Response.json({ ...overrideWords(override), ...(free.length > 0 && { unpriced: free }) });
}

/** Throws `not_found` where there is none. */
export function removePrice({ accounts }: PriceBox, query: URLSearchParams): Response {
  const { model, ...holder } = readQuery(priceQuery, query);
  const which = { holder: holderName(holder), model };
  if (!accounts.store.removePrice(which))
    throw new ForecourtError("not_found", `There is no price of its own for ${which.holder} on ${model}.`);
  return Response.json(which);
}
