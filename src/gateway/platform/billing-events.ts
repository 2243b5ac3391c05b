// GET /models/billing-events: one line for each request that has ended, with what it counted and cost.
import { plural } from "../../control/accounts/budget-text.ts";
import { quantities, type UsageRow } from "../../control/accounts/usage-store.ts";
import { asId, type JobId } from "../../core/ids.ts";
import { choice, Type } from "../../core/schema.ts";
import { adminGet, type PlatformParts } from "./operation.ts";
import { fromCursor, idList, pageFields, pageResult, toCursor, wrongQuery } from "./query.ts";
import { rangeFields, rangeOf } from "./time-range.ts";
import { authOf, authSchema, publishedAmounts } from "./usage.ts";

const amount = Type.Number();

export const billingEvents = adminGet({
  path: "/models/billing-events",
  summary: "What each request cost, oldest first, by the time of its submission",
  query: Type.Object({
    ...pageFields(10_000, 1000),
    ...rangeFields,
    endpoint_id: Type.Optional(idList("Of these models")),
    api_key_id: Type.Optional(idList("Of these keys")),
    request_id: Type.Optional(idList("These only")),
    login_username: Type.Optional(idList("Of these people; here requests come by keys alone")),
    expand: Type.Optional(Type.Array(choice(["auth_method", "auth_method_structured"]))),
  }),
  result: Type.Object({
    billing_events: Type.Array(
      Type.Object({
        request_id: Type.String(),
        endpoint_id: Type.String(),
        timestamp: Type.String({ format: "date-time" }),
        api_key_id: Type.String(),
        output_units: amount,
        unit_price: amount,
        cost_subtotal: amount,
        cost_discount: amount,
        cost_total: amount,
        cost_estimate_nano_usd: amount,
        currency: Type.String(),
        ...authSchema,
      }),
    ),
    ...pageResult,
  }),
  answer(parts, { query }) {
    const { start, end } = rangeOf(query, parts.clock.now());
    const [after = 0] = fromCursor(query.cursor, 1) ?? [];
    if (typeof after !== "number") throw wrongQuery("cursor", "Input should be the next_cursor of an earlier answer");
    const { endpoint_id: endpoints, api_key_id: keys, request_id: jobs, login_username: people, limit } = query;
    const filter = { endpoints, keys, jobs, since: start, until: end };
    const rows = people ? [] : parts.accounts.usage.rows({ ...filter, after, limit: limit + 1 });
    const shown = rows.slice(0, limit);
    const hasMore = rows.length > limit;
    return {
      billing_events: shown.map((row) => ({
        ...published(parts, row),
        ...authOf(row.key, { keys: parts.keys, expand: query.expand ?? [] }),
      })),
      next_cursor: hasMore ? toCursor([shown.at(-1)?.seq]) : null,
      has_more: hasMore,
    };
  },
});

function published({ accounts }: PlatformParts, row: UsageRow) {
  const micros = quantities(row.units)[plural(accounts.unitOf(row))] ?? 0;
  const { quantity, unit_price, cost } = publishedAmounts({ micros, nanos: row.cost });
  return {
    request_id: asId<JobId>(row.job),
    endpoint_id: row.endpoint,
    timestamp: new Date(row.admittedAt).toISOString(),
    api_key_id: row.key,
    output_units: quantity,
    unit_price,
    cost_subtotal: cost,
    cost_discount: 0,
    cost_total: cost,
    cost_estimate_nano_usd: row.cost,
    currency: row.currency,
  };
}
