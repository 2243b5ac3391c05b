// What is counted over time: in buckets, a page of them at once, in total, or both.
import { type TSchema, Type } from "../../core/schema.ts";
import type { Instant } from "../../core/units.ts";
import { offsetOf, pageResult, toCursor } from "./query.ts";
import { type Bucket, type BucketQuery, bucketsOf } from "./time-range.ts";

export const overTimeResult = (row: TSchema) =>
  Type.Object({
    time_series: Type.Optional(
      Type.Array(Type.Object({ bucket: Type.String({ format: "date-time" }), results: Type.Array(row) })),
    ),
    summary: Type.Optional(Type.Array(row)),
    ...pageResult,
  });

type OverTime<Fact, Row> = {
  query: BucketQuery & { expand: readonly string[]; limit: number; cursor?: string };
  now: Instant;
  /** Of one bucket. */
  find(bucket: Bucket): Fact[];
  /** Of the facts of one bucket, or of all. */
  rows(facts: Fact[]): Row[];
};

/** Bucket by bucket, so that other requests are answered in between. Throws `invalid_input`. */
export async function overTime<Fact, Row>({ query, now, find, rows }: OverTime<Fact, Row>) {
  const buckets = bucketsOf(query, now);
  const isSummary = query.expand.includes("summary");
  const isSeries = query.expand.includes("time_series") || !isSummary;
  const end = offsetOf(query.cursor) + query.limit;
  const shown = isSeries ? buckets.slice(end - query.limit, end) : [];
  const hasMore = isSeries && buckets.length > end;
  const found = new Map<Bucket, Fact[]>();
  for (const bucket of isSummary ? buckets : shown) {
    const facts = find(bucket);
    if (facts.length > 0) found.set(bucket, facts);
    await new Promise(setImmediate);
  }
  return {
    ...(isSeries && {
      time_series: shown.map((bucket) => ({ bucket: bucket.label, results: rows(found.get(bucket) ?? []) })),
    }),
    ...(isSummary && { summary: rows([...found.values()].flat()) }),
    next_cursor: hasMore ? toCursor([end]) : null,
    has_more: hasMore,
  };
}
