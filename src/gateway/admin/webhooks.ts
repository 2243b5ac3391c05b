// Webhooks over HTTP, for admins: which were delivered, wait or were given up, and sending one again.
import type { WebhookRow } from "../../control/webhooks/outbox-store.ts";
import type { Webhooks } from "../../control/webhooks/webhooks.ts";
import { asId, type JobId } from "../../core/ids.ts";
import { isoTime } from "../../core/iso-time.ts";
import { choice, Type } from "../../core/schema.ts";
import { readQuery } from "./read-query.ts";

const statuses = ["waiting", "pending", "delivered", "dead"] as const satisfies WebhookRow["status"][];

export const webhookPage = Type.Object({
  status: Type.Optional(choice(statuses)),
  before: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: "`next` of the page before" })),
  limit: Type.Integer({ default: 50, minimum: 1, maximum: 500 }),
});

/** `next` is the `before` of the following page, null at the end. Throws `invalid_input`. */
export function listWebhooks(webhooks: Pick<Webhooks, "list">, query: URLSearchParams): Response {
  const { status, before, limit } = readQuery(webhookPage, query);
  const rows = webhooks.list({
    limit,
    ...(status && { status }),
    ...(before !== undefined && { before: asId<JobId>(before) }),
  });
  const next = rows.length === limit ? (rows.at(-1)?.job ?? null) : null;
  return Response.json({ webhooks: rows.map(published), next });
}

/** Throws `not_found`, and `bad_request` while the request is not over. */
export const replayWebhook = async (webhooks: Pick<Webhooks, "replay">, id: string) =>
  Response.json(published(await webhooks.replay(asId<JobId>(id))), { status: 202 });

const published = (row: WebhookRow) => ({
  request_id: row.job,
  url: row.url,
  status: row.status,
  attempts: row.attempts,
  created_at: isoTime(row.createdAt),
  ended_at: isoTime(row.endedAt),
  next_attempt_at: isoTime(row.dueAt),
  settled_at: isoTime(row.settledAt),
  http_status: row.httpStatus,
  reason: row.reason,
});
