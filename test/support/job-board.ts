// The job store alone, over a real database, with a hand in the place of the scheduler.
import { type Accounts, createAccounts } from "../../src/control/accounts/accounts.ts";
import { checkedInput } from "../../src/control/catalog/asked.ts";
import { createCatalog } from "../../src/control/catalog/catalog.ts";
import type { Database } from "../../src/control/database/open.ts";
import { openDatabase } from "../../src/control/database/open.ts";
import type { ReadAnew } from "../../src/control/jobs/earlier.ts";
import { createJobRoom } from "../../src/control/jobs/job-room-store.ts";
import { createJobs } from "../../src/control/jobs/jobs.ts";
import { createJobLedger } from "../../src/control/jobs/ledger.ts";
import type { ModelAt } from "../../src/control/jobs/remodel.ts";
import type { Submission } from "../../src/control/jobs/submission.ts";
import { createJobWork } from "../../src/control/jobs/work.ts";
import { roomOf } from "../../src/control/rooms/room.ts";
import { createOutbox } from "../../src/control/webhooks/outbox.ts";
import { createOutboxStore } from "../../src/control/webhooks/outbox-store.ts";
import { asId, type KeyId, newRunnerId } from "../../src/core/ids.ts";
import type { JobEvent } from "../../src/core/job.ts";
import { type Bytes, type Milliseconds, milliseconds } from "../../src/core/units.ts";
import { createTestClock, type TestClock } from "./test-clock.ts";

const catalog = createCatalog({});
const echo = catalog.find("forecourt/echo");
if (!echo) throw new Error("the catalogue lacks forecourt/echo");

export const echoEntry = echo;

export function createJobBoard(
  options: {
    database?: Database;
    keys?: Parameters<typeof createAccounts>[0]["keys"];
    findModel?: Parameters<typeof createAccounts>[0]["findModel"];
    clock?: TestClock;
    maxQueue?: number;
    retries?: number;
    modelAt?: ModelAt;
    /** Of each key. */
    room?: Bytes;
    retention?: Milliseconds;
    readAnew?: ReadAnew;
  } = {},
) {
  const {
    database = openDatabase({ file: ":memory:" }),
    keys = { get: () => undefined, isInForce: () => true },
    findModel = () => echoEntry.model,
    clock = createTestClock(),
    maxQueue = 1000,
    retries = 3,
    modelAt = () => echoEntry.model,
    readAnew = ({ input }) => checkedInput(echoEntry, input),
  } = options;
  const accounts: Accounts = createAccounts({ database, keys, findModel, clock });
  const outboxStore = createOutboxStore(database);
  const outbox = createOutbox(outboxStore);
  const { room: limit = roomOf(0), retention = milliseconds(0) } = options;
  const room = createJobRoom({ database, limit, retention });
  const ledger = createJobLedger({ database, outbox, accounts, room, clock, timers: clock });
  const jobs = createJobs({ ledger, endpointOf: ({ model }) => ({ ...echoEntry, model }), retries, maxQueue });
  const savedFiles = new Set<string>();
  /** Of all that a job's output names together. */
  let fileBytes = 0;
  const missingIn = (output: unknown) =>
    JSON.stringify(output)
      .match(/forecourt-file:[\w.-]+/g)
      ?.map((url) => url.slice(15))
      .filter((name) => !savedFiles.has(name)) ?? [];
  const work = createJobWork({
    ledger,
    lookAtFiles: (output) => ({ missing: missingIn(output), bytes: fileBytes }),
    modelAt,
    readAnew,
  });
  const runner = newRunnerId();

  return {
    database,
    clock,
    accounts,
    ledger,
    outbox,
    outboxStore,
    jobs,
    work,
    runner,
    savedFiles,
    setFileBytes(bytes: number) {
      fileBytes = bytes;
    },
    submit: (change: Partial<Submission> = {}) =>
      jobs.submit({
        model: echoEntry.model,
        endpoint: "forecourt/echo",
        key: asId<KeyId>("key"),
        input: { prompt: "hello" },
        rejectInvalid: true,
        ...change,
      }),
  };
}

/** Every event up to the end. */
export async function eventsOf(watching: AsyncGenerator<JobEvent>): Promise<JobEvent[]> {
  const events: JobEvent[] = [];
  for await (const event of watching) events.push(event);
  return events;
}
