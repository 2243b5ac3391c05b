// The audit log over HTTP, for admins: a page at a time, latest first.
import type { AuditEntry } from "../../control/audit/act.ts";
import type { Audit } from "../../control/audit/audit.ts";
import type { Keys } from "../../control/keys/keys.ts";
import { asId, type KeyId } from "../../core/ids.ts";
import { Type } from "../../core/schema.ts";
import { wrongQuery } from "../platform/query.ts";
import { parametersOf } from "../query-parameters.ts";
import { readInstant } from "../read-instant.ts";
import { readQuery } from "./read-query.ts";

const pageSchema = Type.Object({
  actor: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "Id of a key, or os:<account>" })),
  since: Type.Optional(
    Type.String({ maxLength: 50, description: "From this time on (ISO 8601, UTC unless it has an offset)" }),
  ),
  before: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: "`next` of the page before" })),
  limit: Type.Integer({ default: 100, minimum: 1, maximum: 1000 }),
});

/** `next` is the `before` of the following page, null at the end. Throws `invalid_input`. */
export function listAudit(box: { audit: Pick<Audit, "list">; keys: Pick<Keys, "get"> }, query: URLSearchParams) {
  const { since, ...page } = readQuery(pageSchema, query);
  const from = since === undefined ? undefined : readInstant(since);
  if (since !== undefined && from === undefined)
    throw wrongQuery("since", "Input should be a date, or a date and a time");
  const entries = box.audit.list({ ...page, ...(from !== undefined && { since: from }) });
  const next = entries.length === page.limit ? (entries.at(-1)?.id ?? null) : null;
  return Response.json({ entries: entries.map((entry) => published(entry, box.keys)), next });
}

const published = (entry: AuditEntry, keys: Pick<Keys, "get">) => ({
  id: entry.id,
  at: new Date(entry.at).toISOString(),
  actor: entry.actor,
  actor_name: keys.get(asId<KeyId>(entry.actor))?.name ?? null,
  origin: entry.origin,
  action: entry.action,
  details: entry.details,
  outcome: entry.outcome,
  code: entry.code,
  request_id: entry.requestId ?? null,
});

export const auditFilters = parametersOf(pageSchema);
