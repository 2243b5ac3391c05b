// GET /models/usage: what was used and what it cost, by endpoint, in total and over time.
import type { Accounts } from "../../control/accounts/accounts.ts";
import { plural } from "../../control/accounts/budget-text.ts";
import type { UsageSum } from "../../control/accounts/usage-sums-store.ts";
import type { Keys } from "../../control/keys/keys.ts";
import { asId, type KeyId } from "../../core/ids.ts";
import { choice, Type } from "../../core/schema.ts";
import { adminGet } from "./operation.ts";
import { overTime, overTimeResult } from "./over-time.ts";
import { idList, pageFields } from "./query.ts";
import { bucketFields } from "./time-range.ts";

const parts = ["time_series", "summary", "auth_method", "auth_method_structured"] as const;
type Part = (typeof parts)[number];

const amount = Type.Number();
export const authSchema = {
  auth_method: Type.Optional(Type.String({ description: "Name of the key" })),
  auth_method_structured: Type.Optional(Type.Object({ detail: Type.String(), api_key_id: Type.String() })),
};
const row = Type.Object({
  endpoint_id: Type.String(),
  unit: Type.String(),
  quantity: amount,
  unit_price: amount,
  cost_subtotal: amount,
  cost_discount: amount,
  cost_total: amount,
  cost: amount,
  currency: Type.String(),
  ...authSchema,
});

export const modelUsage = adminGet({
  path: "/models/usage",
  summary: "What all keys used and what it cost, by the time of submission",
  query: Type.Object({
    ...pageFields(10_000, 1000),
    ...bucketFields,
    endpoint_id: Type.Optional(idList("Of these models")),
    api_key_id: Type.Optional(idList("Of these keys")),
    login_username: Type.Optional(idList("Of these people; here requests come by keys alone")),
    expand: Type.Array(choice(parts), {
      default: ["time_series"],
      description: "time_series, summary or both; auth_method: for each key apart",
    }),
  }),
  result: overTimeResult(row),
  async answer({ accounts, keys, clock }, { query }) {
    const filter = {
      ...(query.endpoint_id && { endpoints: query.endpoint_id }),
      ...(query.api_key_id && { keys: query.api_key_id }),
    };
    return await overTime({
      query,
      now: clock.now(),
      find: ({ start, end }) => (query.login_username ? [] : accounts.sums({ ...filter, since: start, until: end })),
      rows: (sums) => rowsOf(sums, { accounts, keys, expand: query.expand }),
    });
  },
});

type Describing = { accounts: Pick<Accounts, "unitOf">; keys: Pick<Keys, "get">; expand: Part[] };
/** Micros and nanos until all is added up: sums of fractions are not what they should be. */
type Line = { endpoint: string; unit: string; currency: string; key: string; micros: number; nanos: number };

function rowsOf(sums: UsageSum[], { accounts, keys, expand }: Describing) {
  const byKey = expand.includes("auth_method") || expand.includes("auth_method_structured");
  const lines = new Map<string, Line>();
  for (const { endpoint, model, key, currency, cost, units } of sums) {
    const unit = accounts.unitOf({ model, key });
    const id = [endpoint, unit, currency, byKey ? key : ""].join(" ");
    const known = lines.get(id) ?? { endpoint, unit, currency, key, micros: 0, nanos: 0 };
    const micros = known.micros + (units[plural(unit)] ?? 0);
    lines.set(id, { ...known, micros, nanos: known.nanos + cost });
  }
  return [...lines.values()].map(({ endpoint, unit, currency, key, ...sum }) => {
    const { quantity, unit_price, cost } = publishedAmounts(sum);
    return {
      ...{ endpoint_id: endpoint, unit, quantity, unit_price },
      ...{ cost_subtotal: cost, cost_discount: 0, cost_total: cost, cost, currency },
      ...authOf(key, { keys, expand }),
    };
  });
}

/** The price is the one that was paid on the whole, whatever it is made of. */
export function publishedAmounts({ micros, nanos }: { micros: number; nanos: number }) {
  return { quantity: micros / 1e6, cost: nanos / 1e9, unit_price: micros === 0 ? 0 : nanos / micros / 1000 };
}

/** How a request proved who it was: here always by a key. */
export function authOf(key: string, { keys, expand }: { keys: Pick<Keys, "get">; expand: readonly string[] }) {
  const detail = keys.get(asId<KeyId>(key))?.name ?? key;
  return {
    ...(expand.includes("auth_method") && { auth_method: detail }),
    ...(expand.includes("auth_method_structured") && { auth_method_structured: { detail, api_key_id: key } }),
  };
}
