// Every SQL statement about webhooks. Callers hold a transaction for changes: see group-commit.ts.
// The statements of a webhook's usual way are prepared once: one of them runs at the end of every job.
import { and, asc, desc, eq, gt, inArray, lt, type SQL, sql } from "drizzle-orm";
import { asId, type JobId, type KeyId } from "../../core/ids.ts";
import { type Instant, instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { statement } from "../database/statement.ts";
import { createNextDue, type Look } from "./next-due-store.ts";
import { webhookDeliveryTable } from "./webhook-delivery.table.ts";

export type WebhookRow = typeof webhookDeliveryTable.$inferSelect;
export type WebhookStatus = WebhookRow["status"];
export type UntoldStatus = Exclude<WebhookStatus, "delivered">;

/** What an attempt came to; `dueAt` is set where another one follows. */
export type Settlement = {
  attempts: number;
  httpStatus: number | null;
  reason: string | null;
} & ({ status: "delivered" | "dead"; settledAt: Instant } | { status: "pending"; dueAt: Instant });

export type OutboxStore = {
  insert(webhook: { job: JobId; owner: KeyId; url: string; host: string; origin: string; at: Instant }): void;
  /** waiting -> pending, due at once. False when the job has no webhook that waits. */
  begin(job: JobId, at: Instant): boolean;
  /** The longest due one, apart from those under way and from hosts and owners that have enough of them. */
  next(at: Look): WebhookRow | undefined;
  /** When the first of those that are not due yet will be. */
  nextDueAt(now: Instant): Instant | undefined;
  /** What is due later than `beyond` is due at `at`. */
  pullIn(to: { beyond: Instant; at: Instant }): void;
  settle(job: JobId, settlement: Settlement): void;
  /** delivered or dead -> pending, with all its attempts before it; one that is pending becomes due. */
  replay(job: JobId, at: Instant): WebhookRow | undefined;
  row(job: JobId): WebhookRow | undefined;
  /** Latest job first. */
  list(page: { status?: WebhookStatus; before?: JobId; limit: number }): WebhookRow[];
  /** Of those that were told, which are nearly all, nobody asks how many they are: counting them would take longer with each. */
  counts(): Record<UntoldStatus, number>;
};

/** `webhook`: the table that holds the deliveries. */
export function createOutboxStore({ orm, sqlite }: Database, webhook = webhookDeliveryTable): OutboxStore {
  const run = prepareAll(orm, webhook);
  const begin = statement(sqlite, beginning(orm, webhook), { job: webhook.job });
  return {
    insert: ({ at, ...row }) => {
      orm
        .insert(webhook)
        .values({ ...row, status: "waiting", createdAt: at })
        .run();
    },
    begin: (job, at) => begin.get({ job, at }) !== undefined,
    next: createNextDue({ orm, sqlite }, webhook),
    nextDueAt(now) {
      const dueAt = run.nextDueAt.get({ now })?.dueAt;
      return dueAt === undefined || dueAt === null ? undefined : instant(dueAt);
    },
    pullIn: ({ beyond, at }) => {
      orm
        .update(webhook)
        .set({ dueAt: at })
        .where(and(sql`likely(${webhook.status} = 'pending')`, gt(webhook.dueAt, beyond)))
        .run();
    },
    settle: (job, settlement) => {
      run.settle.run({ job, ...NOTHING_DUE, ...settlement });
    },
    replay: (job, at) =>
      orm
        .update(webhook)
        .set({ status: "pending", dueAt: at, attempts: 0, settledAt: null })
        .where(and(eq(webhook.job, job), inArray(webhook.status, ["pending", "delivered", "dead"])))
        .returning()
        .get(),
    row: (job) => orm.select().from(webhook).where(eq(webhook.job, job)).get(),
    list({ status, before, limit }) {
      const filters: SQL[] = [];
      if (status) filters.push(eq(webhook.status, status));
      if (before) filters.push(lt(webhook.job, before));
      return orm
        .select()
        .from(webhook)
        .where(and(...filters))
        .orderBy(desc(webhook.job))
        .limit(limit)
        .all();
    },
    counts() {
      const counted = { waiting: 0, pending: 0, dead: 0 };
      for (const { status, count } of run.counts.all()) counted[status] = count;
      return counted;
    },
  };
}

const NOTHING_DUE = { dueAt: null, settledAt: null };

export const jobOfWebhook = ({ job }: Pick<WebhookRow, "job">) => asId<JobId>(job);

const given = (name: string) => sql`${sql.placeholder(name)}`;

const isOf = (webhook: typeof webhookDeliveryTable) => eq(webhook.job, sql.placeholder("job"));

const beginning = (orm: Database["orm"], webhook: typeof webhookDeliveryTable) =>
  orm
    .update(webhook)
    .set({ status: sql`'pending'`, endedAt: given("at"), dueAt: given("at") })
    .where(and(isOf(webhook), sql`${webhook.status} = 'waiting'`))
    .returning({ job: webhook.job });

function prepareAll(orm: Database["orm"], webhook: typeof webhookDeliveryTable) {
  // `likely` keeps SQLite from the index by status: for each look it would sort all that wait for a receiver that is away.
  const isPending = sql`likely(${webhook.status} = 'pending')`;
  const count = sql<number>`count(*)`;
  return {
    nextDueAt: orm
      .select({ dueAt: webhook.dueAt })
      .from(webhook)
      .where(and(isPending, sql`${webhook.dueAt} > ${sql.placeholder("now")}`))
      .orderBy(asc(webhook.dueAt))
      .limit(1)
      .prepare(),
    settle: orm
      .update(webhook)
      .set({
        status: given("status"),
        attempts: given("attempts"),
        httpStatus: given("httpStatus"),
        reason: given("reason"),
        dueAt: given("dueAt"),
        settledAt: given("settledAt"),
      })
      .where(and(isOf(webhook), isPending))
      .prepare(),
    counts: orm
      .select({ status: sql<UntoldStatus>`${webhook.status}`, count })
      .from(webhook)
      .where(inArray(webhook.status, ["waiting", "pending", "dead"]))
      .groupBy(webhook.status)
      .prepare(),
  };
}
