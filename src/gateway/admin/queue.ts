// Requests that run and wait, over HTTP, for admins: a page at a time.
import type { Jobs, OpenMark } from "../../control/jobs/jobs.ts";
import { asId, type JobId } from "../../core/ids.ts";
import { isoTime } from "../../core/iso-time.ts";
import { instant } from "../../core/units.ts";
import { readCursor, toCursor, wrongQuery } from "../platform/query.ts";
import { pageQuery, readQuery } from "./read-query.ts";

export const queueQuery = pageQuery(100, 1000);

/** `next` is the `after` of the following page, null at the end. Throws `invalid_input`. */
export function listQueue(jobs: Pick<Jobs, "open">, query: URLSearchParams): Response {
  const { after, limit } = readQuery(queueQuery, query);
  return Response.json(queuePage(jobs, { limit, ...(after !== undefined && { after: markOf(after) }) }));
}

export function queuePage(jobs: Pick<Jobs, "open">, { after, limit }: { after?: OpenMark; limit: number }) {
  const found = jobs.open({ limit: limit + 1, ...(after && { after }) });
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  return {
    requests: shown.map(({ id, model, status, priority, createdAt, attempts }) => ({
      request_id: id,
      ...{ model, status, priority, attempts },
      created_at: isoTime(createdAt),
    })),
    next: last && found.length > limit ? toCursor([last.status, last.createdAt, last.id]) : null,
  };
}

function markOf(next: string): OpenMark {
  const position = readCursor(next);
  const [status, createdAt, id]: unknown[] = Array.isArray(position) ? position : [];
  if ((status === "running" || status === "queued") && typeof createdAt === "number" && typeof id === "string")
    return { status, createdAt: instant(createdAt), id: asId<JobId>(id) };
  throw wrongQuery("after", "Input should be the next of an earlier answer");
}
