// Jobs and webhooks over a real database, with time in the test's hand and receivers on loopback.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Database, openDatabase } from "../../../src/control/database/open.ts";
import { cautiousClock } from "../../../src/control/retention/cautious-clock.ts";
import { createAddressGuard } from "../../../src/control/storage/public-address.ts";
import type { WebhookStatus } from "../../../src/control/webhooks/outbox-store.ts";
import { ensureSigningKey } from "../../../src/control/webhooks/signing-key.ts";
import { createWebhooks, type WebhooksParts } from "../../../src/control/webhooks/webhooks.ts";
import { asId } from "../../../src/core/ids.ts";
import type { Job } from "../../../src/core/job.ts";
import { createLog, silentLog } from "../../../src/core/log.ts";
import { milliseconds } from "../../../src/core/units.ts";
import { createJobBoard } from "../../support/job-board.ts";
import { until } from "../../support/until.ts";

const keyFolder = mkdtempSync(join(tmpdir(), "forecourt-webhooks-"));
export const signingKey = ensureSigningKey(keyFolder);
rmSync(keyFolder, { recursive: true, force: true });

const DAY = 24 * 60 * 60 * 1000;

/** Of tests that talk over real sockets, on a machine that may be busy. */
export const PATIENCE_MS = 40_000;

/** Started already. `after` is a stage whose database is taken over, as by a new process. */
export function createWebhookStage({
  after,
  database = after?.database ?? openDatabase({ file: ":memory:" }),
  ...change
}: Partial<WebhooksParts> & { after?: { database: Database }; database?: Database } = {}) {
  const board = createJobBoard({ database });
  const logged: { level: string; message: string; [field: string]: unknown }[] = [];
  const webhooks = createWebhooks({
    store: board.outboxStore,
    outbox: board.outbox,
    writes: database,
    findJob: board.jobs.find,
    key: signingKey,
    guard: createAddressGuard(["127.0.0.0/8"]),
    body: ({ id, status }, origin) => JSON.stringify({ id, status, origin }),
    firstWait: milliseconds(5_000),
    retention: milliseconds(30 * DAY),
    clock: board.clock,
    sweepClock: cautiousClock(board.clock, { known: undefined, log: silentLog }),
    timers: board.clock,
    log: createLog({ level: "debug", format: "json", write: (line) => logged.push(JSON.parse(line)) }),
    ...change,
  });
  webhooks.start();
  const row = ({ id }: Pick<Job, "id">) => {
    const found = board.outboxStore.row(id);
    if (!found) throw new Error(`there is no webhook of ${id}`);
    return found;
  };
  return {
    ...board,
    webhooks,
    logged,
    row,
    /** A running job that wants to be told at the URL. */
    async running(url: string, key = "key"): Promise<Job> {
      const job = await board.submit({ key: asId(key), webhook: { url, origin: "https://box.example" } });
      board.work.claim(job.id, { runner: board.runner, loadMs: 0 });
      return job;
    },
    finish: ({ id }: Job) => board.work.finish(id, { output: {}, units: { requests: 1 }, device: "cpu" }),
    /** Resolves when the webhook has come to that status, after so many attempts. */
    reached: (job: Job, status: WebhookStatus, attempts: number) =>
      until(() => row(job).status === status && row(job).attempts === attempts, PATIENCE_MS),
    [Symbol.asyncDispose]: () => webhooks.stop(),
  };
}
