// What nodes gave is kept for as long as their run goes on, also where nothing is to be stored, and no longer.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JobId } from "../../../src/core/ids.ts";
import { createTestAppliance, type TestAppliance } from "../../support/create-test-appliance.ts";
import { createFakeFleet, echoAnswer } from "../../support/fake-fleet.ts";
import { createTestClock, type TestClock } from "../../support/test-clock.ts";
import { until } from "../../support/until.ts";

const HOUR = 60 * 60 * 1000;
const folder = mkdtempSync(join(tmpdir(), "forecourt-kept-parts-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const workflow = {
  first: { id: "first", type: "run", app: "forecourt/echo", depends: [], input: { prompt: "secret" } },
  second: { id: "second", type: "run", app: "forecourt/echo", depends: ["first"], input: { prompt: "$first.prompt" } },
};

/** The second node does not come to its end here unless `isWhole`. */
async function box(data: string, clock: TestClock, isWhole: boolean): Promise<TestAppliance> {
  let runs = 0;
  const fleet = createFakeFleet({
    clock,
    answer: (job, order) => (isWhole || ++runs === 1 ? echoAnswer(job, order) : new Promise(() => {})),
  });
  return await createTestAppliance({ data, clock, timers: clock, fleet });
}

/** A run whose server ended while its second node ran, and the jobs of its nodes. */
async function interrupted(clock: TestClock) {
  const data = mkdtempSync(join(folder, "data-"));
  const before = await box(data, clock, false);
  const caller = before.keys.find(before.apiKey.split(":")[0] ?? "");
  if (!caller) throw new Error("the key is not there");
  const options = { keepsPayload: false };
  const call = { endpoint: "workflows/execute", caller, input: { workflow }, rejectInvalid: true, options };
  const run = await before.workflows.run(call);
  const nodes = () => before.workflows.neededJobs();
  await until(() => nodes().length === 2 && nodes().some((id) => before.jobs.find(id)?.status === "running"));
  const [first] = nodes().filter((id) => before.jobs.find(id)?.status === "done") as [JobId];
  await before.stop();
  return { data, run: run.id, first };
}

test("a run with nothing stored that was cut short for hours goes on with what its nodes gave, which is forgotten then", async () => {
  const clock = createTestClock();
  const { data, run, first } = await interrupted(clock);
  clock.advance(3 * HOUR);
  await using after = await box(data, clock, true);
  expect(after.jobs.find(first)).toMatchObject({ isForgotten: true, output: null });
  await until(() => after.jobs.find(run)?.status !== "running");
  expect(after.jobs.find(run)).toMatchObject({ status: "done", output: { second: { prompt: "secret" } } });
  const payloads = () => JSON.stringify(after.database.sqlite.query("SELECT input, output FROM job").all());
  expect(payloads()).toContain("secret");
  await until(() => {
    clock.advance(HOUR);
    return !payloads().includes("secret");
  });
});

test("a run whose earlier node's result was deleted fails with that as its reason", async () => {
  const clock = createTestClock();
  const { data, run, first } = await interrupted(clock);
  {
    await using keeper = await createTestAppliance({
      data,
      clock,
      timers: clock,
      fleet: createFakeFleet({ clock, answer: () => new Promise(() => {}) }),
    });
    await keeper.history.erase(first);
  }
  await using after = await box(data, clock, true);
  await until(() => after.jobs.find(run)?.status !== "running");
  expect(after.jobs.find(run)).toMatchObject({
    status: "failed",
    failure: { code: "not_found", message: expect.stringContaining("first: What this node gave was deleted") },
  });
});
