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
const CHAT = "test/chat";
const MCP = { "content-type": "application/json", accept: "application/json, text/event-stream" };

let gateway: TestGateway;
let caller: { id: KeyId; key: string };
beforeAll(async () => {
  if (!disk.isOwn) return;
  const models = [
    testModel(EMBED, { pipeline: "embed", examples: [] }),
    testModel(CHAT, { pipeline: "chat", examples: [] }),
  ];
  gateway = await createTestGateway({ data: disk.path }, models);
  gateway.holdRuns();
  const made = gateway.keys.create({ name: "app", scope: "api" });
  caller = { id: made.key.id, key: made.secret };
  gateway.accounts.store.setLimits({ kind: "key", id: caller.id }, { budgets: [parseBudget("99 requests/day")] });
});
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  disk.unmount();
  rmSync(folder, { recursive: true, force: true });
});

const big = { prompt: "x".repeat(200_000), steps: 1 };
const REFUSED_AT_ALL = "could not be written, because the disk of this box is full. The request is cancelled";
const REFUSED = `${REFUSED_AT_ALL} and costs nothing.`;

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
  const doubtful =
    "SELECT id FROM job WHERE model NOT LIKE 'workflows/%' AND (SELECT count(*) FROM usage WHERE usage.job = job.id) != 1";
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

const STEPS = {
  first: { type: "run", app: "forecourt/echo", input: { prompt: "$input.prompt" } },
  output: { type: "display", depends: ["first"], fields: { text: "$first.prompt" } },
};
const call = {
  ...{ jsonrpc: "2.0", id: 1, method: "tools/call" },
  params: { name: "run_model", arguments: { endpoint_id: "forecourt/echo", input: { prompt: "hi" } } },
};
const followed = {
  "a stream of the model": () => ask("/run/forecourt/echo/stream", { prompt: "hi" }),
  "a stream of OpenAI's": () =>
    ask("/v1/chat/completions", { model: CHAT, messages: [{ role: "user", content: "hi" }], stream: true }),
  "a tool's run": () => gateway.ask("POST", "/mcp", { key: caller.key, body: call, headers: MCP }),
  "a workflow": () => ask("/run/workflows/execute", { input: { prompt: "hi" }, workflow: STEPS }),
  "a workflow's stream": () => ask("/run/workflows/execute/stream", { input: { prompt: "hi" }, workflow: STEPS }),
};

for (const [what, begin] of Object.entries(followed))
  whole(`who follows ${what} hears that its result cannot be written`, async () => {
    const [before = 0] = left();
    const known = statuses().length;
    const answer = begin().then((response) => response.text());
    const { finish } = await gateway.nextRun();
    await written(known + (what.includes("workflow") ? 2 : 1));
    disk.fill();
    finish({ ...big, output: big.prompt });
    expect(await answer).toContain(REFUSED_AT_ALL);
    await untilQuiet();
    expect(new Set(statuses().slice(known))).toEqual(new Set(["cancelled"]));
    expect(left()).toEqual([before]);
    await servesOn();
  });

whole("a workflow of the queue runs a node again whose result was lost, and ends when there is room", async () => {
  const [before = 0] = left();
  const known = statuses().length;
  const { response_url: url } = await (
    await ask("/queue/workflows/execute", { input: { prompt: "hi" }, workflow: STEPS })
  ).json();
  const first = await gateway.nextRun();
  await written(known + 2);
  disk.fill();
  first.finish(big);
  await gateway.database.committed().catch(() => {});
  disk.empty();
  (await gateway.nextRun()).finish({ prompt: "there is room", steps: 1 });
  await untilQuiet();
  const result = await gateway.ask("GET", new URL(url).pathname, { key: caller.key });
  expect(await result.json()).toEqual({ text: "there is room" });
  expect(left()).toEqual([before - 1]);
});

for (const isWaitedFor of [true, false])
  whole(
    `the end of a workflow that ${isWaitedFor ? "a caller waits for" : "is of the queue"} is lost alone`,
    async () => {
      const known = statuses().length;
      const errors = () => gateway.logged.filter(({ level }) => level === "error").length;
      const before = errors();
      const fields = { a: "$input.long", b: "$input.long", c: "$input.long", d: "$first.prompt" };
      const workflow = { ...STEPS, output: { ...STEPS.output, fields } };
      const input = { prompt: "hi", long: "x".repeat(600_000) };
      const answer = ask(isWaitedFor ? "/run/workflows/execute" : "/queue/workflows/execute", { input, workflow });
      const { finish } = await gateway.nextRun();
      await written(known + 2);
      disk.fill(500_000);
      finish({ prompt: "done", steps: 1 });
      const response = await answer;
      await until(() => errors() > before);
      if (isWaitedFor) {
        expect(response.status).toBe(503);
        expect((await response.json()).detail).toContain(`The result ${REFUSED_AT_ALL}`);
      }
      expect(statuses().slice(known).toSorted()).toEqual(["done", "running"]);
      await untilQuiet();
      expect(statuses().slice(known).toSorted()).toEqual(isWaitedFor ? ["cancelled", "done"] : ["done", "done"]);
      await servesOn();
    },
  );

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
