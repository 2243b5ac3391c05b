// GET /models/analytics: how many requests, how they ended and how long they took, in total and over time.
import type { UsageFact } from "../../control/accounts/usage-facts-store.ts";
import { choice, Type } from "../../core/schema.ts";
import { type MetricName, measure, metricNames } from "./metrics.ts";
import { type Found, lookUp } from "./models.ts";
import { get } from "./operation.ts";
import { overTime, overTimeResult } from "./over-time.ts";
import { idList, pageFields } from "./query.ts";
import { bucketFields } from "./time-range.ts";

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
  result: overTimeResult(row),
  async answer({ catalog, accounts, clock }, { query, caller }) {
    const asked = metricNames.filter((name) => query.expand.includes(name));
    const metrics: MetricName[] = asked.length > 0 ? asked : ["request_count"];
    const key = caller.scope === "admin" ? {} : { key: caller.id };
    const found = lookUp(catalog, query.endpoint_id);
    const endpoints = found.map(({ endpoint }) => endpoint);
    /** The model's own id means all of its names. */
    const factsOf = ({ endpoint, entry: { model } }: Found, facts: UsageFact[]) =>
      facts.filter((fact) => fact.endpoint === endpoint || (endpoint === model.id && fact.model === model.id));
    return await overTime({
      query,
      now: clock.now(),
      find: ({ start, end }) => accounts.facts({ since: start, until: end, ...key, endpoints }),
      rows: (facts) =>
        found
          .map((each) => ({ endpoint_id: each.endpoint, own: factsOf(each, facts) }))
          .filter(({ own }) => own.length > 0)
          .map(({ endpoint_id, own }) => ({ endpoint_id, ...measure(own, metrics) })),
    });
  },
});
