// Requests whose start or end meets a full disk: the whole app over a real database on a real disk. Needs the right to mount.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseBudget } from "../../src/control/accounts/budget-text.ts";
import type { KeyId } from "../../src/core/ids.ts";
import { mountSmallDisk } from "../support/small-disk.ts";
import { createTestGateway, type TestGateway } from "../support/test-gateway.ts";
import { testModel } from "../support/test-models.ts";
import { until } from "../support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "forecourt-full-disk-"));
const disk = mountSmallDisk(join(folder, "disk"), 16);
const EMBED = "test/embed";

let gateway: TestGateway;
let caller: { id: KeyId; key: string };
beforeAll(async () => {
  if (!disk.isOwn) return;
  const models = [testModel(EMBED, { pipeline: "embed", examples: [] })];
  gateway = await createTestGateway({ data: disk.path }, models);
  gateway.holdRuns();
  const made = gateway.keys.create({ name: "app", scope: "api" });
  caller = { id: made.key.id, key: made.secret };
  gateway.accounts.store.setLimits({ kind: "key", id: caller.id }, { budgets: [parseBudget("9 requests/day")] });
});
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  disk.unmount();
  rmSync(folder, { recursive: true, force: true });
});

const big = { prompt: "x".repeat(200_000), steps: 1 };
const REFUSED =
  "could not be written, because the disk of this box is full. The request is cancelled and costs nothing.";

const ask = (path: string, body: unknown) => gateway.ask("POST", path, { key: caller.key, body });
const run = (prompt: string) => ask("/run/forecourt/echo", { prompt });
const rows = (sql: string) => gateway.database.sqlite.query<Record<string, unknown>, []>(sql).all();
const statuses = () => rows("SELECT status FROM job ORDER BY id").map(({ status }) => status);
const left = () =>
  gateway.accounts.stateOf({ kind: "key", id: caller.id }).budgets.map(({ remaining }) => (remaining ?? 0) / 1e6);

/** Beginnings that were held in memory are on disk. */
async function written(jobs: number): Promise<void> {
  await until(() => statuses().length === jobs);
  await gateway.database.committed();
}

/** After room was made: nothing is open or set aside, and whatever ended has one row in the ledger. */
async function untilQuiet(): Promise<void> {
  disk.empty();
  await until(() => gateway.jobs.open().length === 0);
  await gateway.database.committed();
  expect(rows("SELECT * FROM reservation")).toEqual([]);
  const doubtful = "SELECT id FROM job WHERE (SELECT count(*) FROM usage WHERE usage.job = job.id) != 1";
  expect(rows(doubtful)).toEqual([]);
}

/** The server serves on, and runs nothing in between that nobody asked for any more. */
async function servesOn(): Promise<void> {
  const answer = run("afterwards");
  const { job, finish } = await gateway.nextRun();
  expect(job.input).toMatchObject({ prompt: "afterwards" });
  finish({ prompt: "afterwards", steps: 1 });
  expect((await answer).status).toBe(200);
}

const whole = test.skipIf(!disk.isOwn);

for (const isKept of [false, true])
  whole(
    `a caller who waits for a run that was ${isKept ? "long" : "short"} hears that its result cannot be written`,
    async () => {
      const [before = 0] = left();
      const known = statuses().length;
      const answer = run("hi");
      const { finish } = await gateway.nextRun();
      if (isKept) await written(known + 1);
      disk.fill();
      finish(big);
      const response = await answer;
      expect(response.status).toBe(503);
      expect(await response.json()).toEqual({
        detail: `The result ${REFUSED} Send it again when there is room.`,
        error_type: "runner_scheduling_failure",
      });
      await untilQuiet();
      expect(statuses().at(-1)).toBe("cancelled");
      expect(left()).toEqual([before]);
      await servesOn();
    },
  );

whole("a caller whose run begins on a full disk hears that, and the run is called off", async () => {
  const [before = 0] = left();
  const known = statuses().length;
  const first = run("first");
  const { finish } = await gateway.nextRun();
  const second = run("second");
  await written(known + 2);
  disk.fill();
  finish(big);
  const answers = await Promise.all([first, second]);
  expect(answers.map(({ status }) => status)).toEqual([503, 503]);
  const details = await Promise.all(answers.map(async (each) => (await each.json()).detail));
  expect(details).toEqual([
    expect.stringContaining(`The result ${REFUSED}`),
    expect.stringContaining(`The start of the request ${REFUSED}`),
  ]);
  // The fleet had begun with it.
  (await gateway.nextRun()).finish(big);
  await untilQuiet();
  expect(statuses().slice(known)).toEqual(["cancelled", "cancelled"]);
  expect(left()).toEqual([before]);
  await servesOn();
});

whole("OpenAI's clients hear the same in their shape", async () => {
  const answer = ask("/v1/embeddings", { model: EMBED, input: "hi" });
  const { finish } = await gateway.nextRun();
  disk.fill();
  finish({ embeddings: [Array.from({ length: 50_000 }, () => 0.5)], usage: {} });
  const response = await answer;
  expect(response.status).toBe(503);
  expect((await response.json()).error).toMatchObject({ message: expect.stringContaining(`The result ${REFUSED}`) });
  await untilQuiet();
  expect(statuses().at(-1)).toBe("cancelled");
  await servesOn();
});

whole("a request of the queue runs again when there is room, and is billed once", async () => {
  const [before = 0] = left();
  const response = await ask("/queue/forecourt/echo", { prompt: "queued" });
  const { status_url: url } = await response.json();
  const first = await gateway.nextRun();
  disk.fill();
  first.finish(big);
  await gateway.database.committed().catch(() => {});
  disk.empty();
  const again = await gateway.nextRun();
  expect(again.job.input).toMatchObject({ prompt: "queued" });
  again.finish(big);
  await untilQuiet();
  const status = await gateway.ask("GET", new URL(url).pathname, { key: caller.key });
  expect(await status.json()).toMatchObject({ status: "COMPLETED" });
  expect(left()).toEqual([before - 1]);
});

whole("who leaves while the disk is full takes the request along, if not at once", async () => {
  const [before = 0] = left();
  const known = statuses().length;
  const leaving = new AbortController();
  const answer = gateway.ask("POST", "/run/forecourt/echo", {
    key: caller.key,
    body: { prompt: "left" },
    signal: leaving.signal,
  });
  const { finish } = await gateway.nextRun();
  await written(known + 1);
  disk.fill();
  leaving.abort();
  await answer;
  await gateway.database.committed().catch(() => {});
  finish(big);
  await untilQuiet();
  expect(statuses().at(-1)).toBe("cancelled");
  expect(left()).toEqual([before]);
  await servesOn();
});
