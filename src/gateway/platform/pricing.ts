// What models cost the caller, and what a number of calls or units would come to.
import { plural } from "../../control/accounts/budget-text.ts";
import type { Key } from "../../control/keys/key.ts";
import { ForecourtError } from "../../core/errors.ts";
import { choice, Type } from "../../core/schema.ts";
import { instant } from "../../core/units.ts";
import { type Found, lookUp, priceResult } from "./models.ts";
import { get, type PlatformParts, post } from "./operation.ts";
import { idList, pageResult } from "./query.ts";

type Parts = Pick<PlatformParts, "accounts">;

export const pricing = get({
  path: "/models/pricing",
  summary: "Prices of models as they count for the caller's key",
  query: Type.Object({ endpoint_id: idList("Of these models") }),
  result: Type.Object({ prices: Type.Array(priceResult), ...pageResult }),
  answer: (parts, { query, caller }) => ({
    prices: lookUp(parts.catalog, query.endpoint_id).map((found) => priceOf(parts, found, caller)),
    next_cursor: null,
    has_more: false,
  }),
});

/** fal knows one unit for each model: the first of the price's parts. */
function priceOf({ accounts }: Parts, { entry, endpoint }: Found, caller: Key) {
  const { currency, parts } = accounts.priceOf(entry.model, caller.id);
  const [first] = parts;
  return { endpoint_id: endpoint, unit_price: (first?.amount ?? 0) / 1e9, unit: first?.unit ?? "request", currency };
}

const estimated = Type.Object({
  call_quantity: Type.Optional(Type.Integer({ minimum: 1 })),
  unit_quantity: Type.Optional(Type.Number({ minimum: 1e-6 })),
});

/** As many as fal's lists of ids have. */
const MOST_ENDPOINTS = 50;

export const estimate = post({
  path: "/models/pricing/estimate",
  summary: "What so many units cost, or so many calls, by what the caller's calls of the last 30 days counted",
  body: Type.Object({
    estimate_type: choice(["historical_api_price", "unit_price"]),
    endpoints: Type.Record(Type.String(), estimated, {
      maxProperties: MOST_ENDPOINTS,
      description: "By endpoint id: `call_quantity` for historical_api_price, `unit_quantity` for unit_price",
    }),
  }),
  result: Type.Object({ estimate_type: Type.String(), total_cost: Type.Number(), currency: Type.String() }),
  answer(parts, { caller, body: { estimate_type, endpoints } }) {
    const quantity = estimate_type === "unit_price" ? "unit_quantity" : "call_quantity";
    const costs = lookUpAll(parts, Object.keys(endpoints)).map((found) => {
      const asked = endpoints[found.endpoint]?.[quantity];
      if (asked === undefined) throw missing(found.endpoint, quantity);
      const { unit_price, unit, currency } = priceOf(parts, found, caller);
      const each = quantity === "unit_quantity" ? 1 : unitsOfACall(parts, found, { caller, unit });
      return { cost: unit_price * each * asked, currency };
    });
    const [currency = "USD", ...others] = new Set(costs.map((each) => each.currency));
    if (others.length > 0) throw new ForecourtError("bad_request", "These models are priced in several currencies.");
    return { estimate_type, total_cost: costs.reduce((sum, { cost }) => sum + cost, 0), currency };
  },
});

/** Throws `not_found` for every id that is unknown: a sum without it would be wrong. */
function lookUpAll({ catalog }: PlatformParts, ids: string[]): Found[] {
  if (ids.length === 0) throw missing("endpoints", "at least one endpoint id");
  return ids.flatMap((id) => lookUp(catalog, [id]));
}

const THIRTY_DAYS = 30 * 24 * 60 * 60 * 1000;
/** What ended in the last seconds may not be in the sums yet. */
const ROWS_AT_ONCE = 1_000;

/** The mean of what was charged for; one where nothing was. */
function unitsOfACall({ accounts, clock }: PlatformParts, { entry }: Found, of: { caller: Key; unit: string }): number {
  const now = clock.now();
  accounts.totals.rollUp(ROWS_AT_ONCE);
  const span = { since: instant(now - THIRTY_DAYS), until: instant(now + 1) };
  const { done, units } = accounts.totals.ofCalls({ key: of.caller.id, model: entry.model.id, ...span });
  return done === 0 ? 1 : (units[plural(of.unit)] ?? 0) / 1e6 / done;
}

const missing = (endpoint: string, field: string) =>
  new ForecourtError("invalid_input", `endpoints.${endpoint}.${field}: Field required`, {
    problems: [{ loc: ["body", "endpoints", endpoint, field], msg: "Field required", type: "missing" }],
  });
