// What the statements of a box's days read: none of them all rows of a table that grows with every request.
import { Database as Sqlite } from "bun:sqlite";
import { expect, spyOn, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestGateway } from "../../support/test-gateway.ts";
import { until } from "../../support/until.ts";
import { startReceiver } from "../../support/webhook-receiver.ts";

/** Kept for weeks or for ever; an index of those that are open holds few of them. */
const GROWING =
  /^SCAN (job|job_log|usage|usage_total|webhook_delivery|upload|file_removal|bucket_object|audit_entry|answer|conversation|conversation_item|batch|batch_line|batch_job|workflow_run|workflow_node)\b(?!.* INDEX \w+_open$)/;

const READ_BY_ADMINS = [
  ...["status", "queue", "keys", "limits", "webhooks?status=dead", "usage", "usage/requests", "audit", "alerts"].map(
    (path) => `/admin/v1/${path}`,
  ),
  "/platform/v1/models/requests/by-endpoint?endpoint_id=forecourt/echo",
  "/platform/v1/models/analytics?endpoint_id=forecourt/echo",
  "/platform/v1/models/usage",
  "/metrics",
];

/** Answers that come in pages: the pages behind the first are asked for too. */
const IN_PAGES = [
  "/admin/v1/queue?limit=1",
  "/admin/v1/usage/requests?since=2020-01-01&limit=1",
  "/platform/v1/models/requests/by-endpoint?endpoint_id=forecourt/echo&limit=1",
  "/platform/v1/models/requests/search?limit=1",
  "/platform/v1/models/billing-events?limit=1",
  "/platform/v1/storage/files?limit=1",
];

/** A page for which all that it is of is sorted first. */
const isSorted = (sql: string, plan: string[]) =>
  / limit \?/.test(sql) &&
  plan.includes("USE TEMP B-TREE FOR ORDER BY") &&
  plan.some((step) => /^(SCAN|SEARCH) (job|usage|audit_entry|webhook_delivery|upload)\b/.test(step));

/** Statements that were prepared while `work` ran. */
async function preparedDuring(work: () => Promise<void>): Promise<Set<string>> {
  const prepare = spyOn(Sqlite.prototype, "prepare");
  try {
    await work();
    return new Set(prepare.mock.calls.map(([sql]) => sql));
  } finally {
    prepare.mockRestore();
  }
}

async function aDay(data: string, hook: string): Promise<void> {
  const box = await createTestGateway({ allow: ["127.0.0.0/8"], data });
  const body = { prompt: "hi" };
  const [first, second] = await Promise.all([
    box.ask("POST", `/queue/forecourt/echo?fal_webhook=${encodeURIComponent(hook)}`, { body }),
    box.ask("POST", "/queue/forecourt/echo", { body }),
  ]);
  const [{ request_id: told }, { request_id: left }] = await Promise.all([first.json(), second.json()]);
  await box.ask("PUT", `/queue/forecourt/echo/requests/${left}/cancel`);
  await until(() => box.webhooks.list({ limit: 1, status: "delivered" }).length === 1);
  for (const path of ["", "/status?logs=1", "/status/stream"])
    await (await box.ask("GET", `/queue/forecourt/echo/requests/${told}${path}`)).text();
  await (await box.ask("POST", "/run/forecourt/echo", { body })).text();
  const begun = await box.ask("POST", "/rest/storage/upload/initiate", {
    body: { file_name: "a", content_type: "a/b" },
  });
  const { upload_url, file_url } = (await begun.json()) as { upload_url: string; file_url: string };
  await box.ask("PUT", upload_url, { body: "content" });
  expect((await box.ask("GET", file_url)).status).toBe(200);
  for (const path of READ_BY_ADMINS) expect((await box.ask("GET", path, { key: box.adminKey })).status).toBe(200);
  for (const path of IN_PAGES) {
    const { next, next_cursor } = await (await box.ask("GET", path, { key: box.adminKey })).json();
    const cursor = next_cursor ? `cursor=${next_cursor}` : `after=${next ?? 0}`;
    if (!path.includes("queue"))
      expect((await box.ask("GET", `${path}&${cursor}`, { key: box.adminKey })).status, path).toBe(200);
  }
  await box.oversight.alerts.look();
  await box[Symbol.asyncDispose]();
}

test("no statement of a box's day, of its boot and of its sweeps reads a growing table as a whole", async () => {
  const data = mkdtempSync(join(tmpdir(), "forecourt-plans-"));
  await using receiver = startReceiver();
  const statements = await preparedDuring(async () => {
    await aDay(data, receiver.origin);
    await aDay(data, receiver.origin);
  });
  using sqlite = new Sqlite(join(data, "forecourt.sqlite"), { readonly: true });
  const planOf = (sql: string) =>
    sqlite
      .query<{ detail: string }, []>(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map(({ detail }) => detail);
  const isWhole = (sql: string) => {
    const plan = /^(select|insert|update|delete|with)\b/i.test(sql) ? planOf(sql) : [];
    // The first page of a list, in the order in which it lies, ends where its limit is.
    const isPage = / limit \?$/.test(sql) && !/ where /.test(sql) && plan.length === 1;
    return !isPage && plan.some((step) => GROWING.test(step));
  };
  expect(statements.size).toBeGreaterThan(50);
  expect([...statements].filter(isWhole)).toEqual([]);
  const isQuery = (sql: string) => /^(select|with)\b/i.test(sql);
  expect([...statements].filter((sql) => isQuery(sql) && isSorted(sql, planOf(sql)))).toEqual([]);
  rmSync(data, { recursive: true });
});
