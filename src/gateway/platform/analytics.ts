// GET /models/analytics: how many requests, how they ended and how long they took, in total and over time.
import type { Accounts } from "../../control/accounts/accounts.ts";
import type { UsageFact } from "../../control/accounts/usage-facts-store.ts";
import type { KeyId } from "../../core/ids.ts";
import { choice, Type } from "../../core/schema.ts";
import { type MetricName, measure, metricNames } from "./metrics.ts";
import { lookUp } from "./models.ts";
import { get } from "./operation.ts";
import { idList, offsetOf, pageFields, pageResult, toCursor } from "./query.ts";
import { type Bucket, bucketFields, bucketsOf } from "./time-range.ts";

const parts = ["time_series", "summary", ...metricNames] as const;
const row = Type.Object({ endpoint_id: Type.String() }, { description: "And one number, or null, for each metric" });

export const analytics = get({
  path: "/models/analytics",
  summary:
    "Counts and durations (seconds) of requests that are over, realtime messages among them, by the time of their submission; an admin key sees those of all keys, others their own",
  query: Type.Object({
    endpoint_id: idList("Of these models"),
    ...pageFields(10_000, 1000),
    ...bucketFields,
    expand: Type.Array(choice(parts), {
      default: ["time_series", "request_count"],
      description: "time_series, summary or both, and the metrics",
    }),
  }),
  result: Type.Object({
    time_series: Type.Optional(
      Type.Array(Type.Object({ bucket: Type.String({ format: "date-time" }), results: Type.Array(row) })),
    ),
    summary: Type.Optional(Type.Array(row)),
    ...pageResult,
  }),
  async answer({ catalog, accounts, clock }, { query, caller }) {
    const { buckets } = bucketsOf(query, clock.now());
    const asked = metricNames.filter((name) => query.expand.includes(name));
    const metrics: MetricName[] = asked.length > 0 ? asked : ["request_count"];
    const isSummary = query.expand.includes("summary");
    const isSeries = query.expand.includes("time_series") || !isSummary;
    const from = offsetOf(query.cursor);
    const shown = isSeries ? buckets.slice(from, from + query.limit) : [];
    const hasMore = isSeries && buckets.length > from + query.limit;
    const key = caller.scope === "admin" ? {} : { key: caller.id };
    const endpoints = lookUp(catalog, query.endpoint_id).map(({ endpoint, entry }) => ({
      endpoint,
      model: entry.model.id,
    }));
    const series = await measureBuckets(isSummary ? buckets : shown, { accounts, key, endpoints });
    return {
      ...(isSeries && {
        time_series: shown.map(({ label, start }) => ({ bucket: label, results: rows(series.of(start), metrics) })),
      }),
      ...(isSummary && { summary: rows(series.all, metrics) }),
      next_cursor: hasMore ? toCursor([from + query.limit]) : null,
      has_more: hasMore,
    };
  },
});

type ByEndpoint = Map<string, UsageFact[]>;
type Wanted = {
  accounts: Pick<Accounts, "facts">;
  key: { key?: KeyId };
  /** As asked for; the model's own id means all of its names. */
  endpoints: { endpoint: string; model: string }[];
};

/** Bucket by bucket, so that other requests are answered in between. */
async function measureBuckets(buckets: Bucket[], { accounts, key, endpoints }: Wanted) {
  const byStart = new Map<number, ByEndpoint>();
  const all: ByEndpoint = new Map();
  for (const { start, end } of buckets) {
    const facts = accounts.facts({
      ...{ since: start, until: end, ...key },
      endpoints: endpoints.map(({ endpoint }) => endpoint),
    });
    if (facts.length === 0) continue;
    const grouped: ByEndpoint = new Map();
    for (const { endpoint, model } of endpoints) {
      const own = facts.filter((fact) => fact.endpoint === endpoint || (endpoint === model && fact.model === model));
      if (own.length === 0) continue;
      grouped.set(endpoint, own);
      all.set(endpoint, [...(all.get(endpoint) ?? []), ...own]);
    }
    byStart.set(start, grouped);
    await new Promise(setImmediate);
  }
  return { all, of: (start: number): ByEndpoint => byStart.get(start) ?? new Map() };
}

const rows = (grouped: ByEndpoint, metrics: MetricName[]) =>
  [...grouped].map(([endpoint, facts]) => ({ endpoint_id: endpoint, ...measure(facts, metrics) }));
