// GET /models/requests/search: requests that have ended, of all models at once, by the words of their inputs and by filters.

import { ForecourtError } from "../../core/errors.ts";
import type { JobId } from "../../core/ids.ts";
import { choice, type Static, Type } from "../../core/schema.ts";
import { get, type PlatformParts } from "./operation.ts";
import { idList, offsetOf, pageFields, pageResult, toCursor } from "./query.ts";
import { type Caller, itemFields, outcomeOf, outcomes, published } from "./requests.ts";
import { rangeFields, rangeOf } from "./time-range.ts";

const flag = (description: string) => choice(["true", "false"], { default: "false", description });

const query = Type.Object({
  ...pageFields(100, 50),
  ...rangeFields,
  query: Type.Optional(Type.String({ minLength: 1, maxLength: 1000, description: "Words that inputs have" })),
  image_url: Type.Optional(Type.String({ maxLength: 2000, description: "Not on this box" })),
  video_url: Type.Optional(Type.String({ maxLength: 2000, description: "Not on this box" })),
  min_similarity: Type.Number({ minimum: 0, maximum: 1, default: 0 }),
  endpoint_id: Type.Optional(idList("Of these models")),
  status: Type.Optional(choice(outcomes, { description: "success: 2xx, user_error: 4xx, error: 5xx" })),
  only_api_requests: flag("All requests here are"),
  exclude_api_requests: flag("Leaves nothing here"),
  expand: Type.Optional(Type.Array(choice(["payloads"]), { description: "payloads: with input and output" })),
});

export const searchRequests = get({
  path: "/models/requests/search",
  summary:
    "Search the requests that have ended, by default of 24 hours: with words, the most similar of the latest 1000",
  query,
  result: Type.Object({
    results: Type.Array(
      Type.Object({
        ...itemFields,
        similarity: Type.Optional(Type.Number({ description: "Share of words in common with the query, 0 to 1" })),
      }),
    ),
    ...pageResult,
  }),
  async answer(parts, { query, caller, roots }) {
    if (query.image_url !== undefined || query.video_url !== undefined)
      throw new ForecourtError("bad_request", "This box searches by words alone. Send query instead of a URL.");
    const from = offsetOf(query.cursor);
    const found = query.exclude_api_requests === "true" ? [] : await ranked(parts, query, caller);
    const withPayloads = query.expand?.includes("payloads") ?? false;
    const wanted = found.slice(from, from + query.limit);
    const similarities = new Map(wanted.map(({ id, similarity }) => [id, similarity]));
    const jobs = parts.history.read([...similarities.keys()], withPayloads ? "all" : "none");
    const next = from + jobs.length;
    const hasMore = found.length > next && jobs.length > 0;
    return {
      results: jobs.map((job) => {
        const similarity = similarities.get(job.id);
        return { ...published(job, withPayloads, roots), ...(similarity !== undefined && { similarity }) };
      }),
      next_cursor: hasMore ? toCursor([next]) : null,
      has_more: hasMore,
    };
  },
});

type Query = Static<typeof query>;

/** So many are looked through; beyond them a smaller span of time helps. */
const MOST_CANDIDATES = 1000;

/** Latest first. */
function candidates({ history, clock }: PlatformParts, query: Query, caller: Caller): JobId[] {
  return history.ids({
    ...rangeOf(query, clock.now()),
    ...(query.endpoint_id && { endpoints: query.endpoint_id }),
    ...(caller.scope !== "admin" && { key: caller.id }),
    ...(query.status && { outcome: outcomeOf(query.status) }),
    limit: MOST_CANDIDATES,
  });
}

type Ranked = { id: JobId; similarity?: number };

/** Their inputs are read a part at a time, so that they fit into memory and other requests are answered in between. */
async function ranked(parts: PlatformParts, query: Query, caller: Caller): Promise<Ranked[]> {
  const ids = candidates(parts, query, caller);
  if (query.query === undefined) return ids.map((id) => ({ id }));
  const wanted = wordsIn(query.query);
  const found = new Map<JobId, number>();
  for (let at = 0; at < ids.length; ) {
    const jobs = parts.history.read(ids.slice(at, at + INPUTS_AT_ONCE), "input");
    at += Math.max(1, jobs.length); // some may be removed meanwhile
    for (const { id, keepsPayload, input } of jobs)
      found.set(id, similarity(wanted, wordsIn(keepsPayload === false ? "" : input)));
    await new Promise(setImmediate);
  }
  return [...found]
    .map(([id, similarity]) => ({ id, similarity }))
    .filter(({ similarity }) => similarity > 0 && similarity >= query.min_similarity)
    .sort((a, b) => b.similarity - a.similarity);
}

const INPUTS_AT_ONCE = 50;

/** Of all texts in a value, however deep, but for data URIs. */
function wordsIn(value: unknown): Set<string> {
  if (typeof value === "string")
    return new Set(value.startsWith("data:") ? [] : value.toLowerCase().match(/[\p{L}\p{N}]+/gu));
  if (typeof value !== "object" || value === null) return new Set();
  return new Set(Object.values(value).flatMap((inner) => [...wordsIn(inner)]));
}

/** Cosine of the two sets. */
function similarity(a: Set<string>, b: Set<string>): number {
  const common = [...a].filter((word) => b.has(word)).length;
  return common === 0 ? 0 : common / Math.sqrt(a.size * b.size);
}
