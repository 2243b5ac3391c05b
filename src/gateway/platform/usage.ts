// GET /models/usage: what was used and what it cost, by endpoint, in total and over time.
import type { Accounts } from "../../control/accounts/accounts.ts";
import { plural } from "../../control/accounts/budget-text.ts";
import type { UsageSum } from "../../control/accounts/usage-sums-store.ts";
import type { Keys } from "../../control/keys/keys.ts";
import { asId, type KeyId } from "../../core/ids.ts";
import { choice, Type } from "../../core/schema.ts";
import { adminGet } from "./operation.ts";
import { idList, offsetOf, pageFields, pageResult, toCursor } from "./query.ts";
import { type Bucket, bucketFields, bucketsOf } from "./time-range.ts";

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
  result: Type.Object({
    time_series: Type.Optional(
      Type.Array(Type.Object({ bucket: Type.String({ format: "date-time" }), results: Type.Array(row) })),
    ),
    summary: Type.Optional(Type.Array(row)),
    ...pageResult,
  }),
  async answer({ accounts, keys, clock }, { query }) {
    const { buckets } = bucketsOf(query, clock.now());
    const isSummary = query.expand.includes("summary");
    const isSeries = query.expand.includes("time_series") || !isSummary;
    const from = offsetOf(query.cursor);
    const hasMore = isSeries && buckets.length > from + query.limit;
    const shown = isSeries ? buckets.slice(from, from + query.limit) : [];
    const filter = {
      ...(query.endpoint_id && { endpoints: query.endpoint_id }),
      ...(query.api_key_id && { keys: query.api_key_id }),
    };
    const wanted = query.login_username ? [] : isSummary ? buckets : shown;
    const sums = await sumBuckets(wanted, ({ start, end }) => accounts.sums({ ...filter, since: start, until: end }));
    const rows = (found: UsageSum[]) => rowsOf(found, { accounts, keys, expand: query.expand });
    return {
      ...(isSeries && {
        time_series: shown.map(({ label, start }) => ({ bucket: label, results: rows(sums.get(start) ?? []) })),
      }),
      ...(isSummary && { summary: rows([...sums.values()].flat()) }),
      next_cursor: hasMore ? toCursor([from + query.limit]) : null,
      has_more: hasMore,
    };
  },
});

/** Bucket by bucket, so that other requests are answered in between. */
async function sumBuckets(buckets: Bucket[], sum: (bucket: Bucket) => UsageSum[]) {
  const byStart = new Map<number, UsageSum[]>();
  for (const bucket of buckets) {
    const found = sum(bucket);
    if (found.length > 0) byStart.set(bucket.start, found);
    await new Promise(setImmediate);
  }
  return byStart;
}

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
