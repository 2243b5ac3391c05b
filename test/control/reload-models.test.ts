// Model files change while requests wait: each goes on under what its endpoint means then, or ends with the reason.
import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Submission } from "../../src/control/jobs/submission.ts";
import { asId, type KeyId } from "../../src/core/ids.ts";
import { instant } from "../../src/core/units.ts";
import { createTestAppliance } from "../support/create-test-appliance.ts";
import { createFakeFleet } from "../support/fake-fleet.ts";
import { testFolder } from "../support/test-folder.ts";
import { testModel } from "../support/test-models.ts";
import { until } from "../support/until.ts";

const folder = testFolder("reload-models");
const ALIAS = "fal-ai/talk";

async function box() {
  const data = mkdtempSync(join(folder, "box-"));
  mkdirSync(join(data, "models"));
  const fleet = createFakeFleet({ automatic: false });
  const write = (name: string, id: string, change: Record<string, unknown> = {}) =>
    writeFileSync(join(data, "models", name), testModel(id, change).text);
  write("a.yaml", "acme/one", { aliases: [ALIAS] });
  const appliance = await createTestAppliance({ data, fleet });
  const submit = (endpoint: string, more: Partial<Submission> = {}) => {
    const entry = appliance.catalog.find(endpoint);
    if (!entry) throw new Error(`there is no ${endpoint}`);
    const key = asId<KeyId>("key");
    const input = { prompt: "hi", steps: 9 };
    return appliance.jobs.submit({ model: entry.model, endpoint, key, input, rejectInvalid: true, ...more });
  };
  return { ...appliance, fleet, write, submit, remove: (name: string) => rmSync(join(data, "models", name)) };
}

test.each([
  ["in the table", {}],
  ["held in memory", { isAnnounced: false }],
  ["in memory alone", { durable: false }],
] as [string, Partial<Submission>][])(
  "a waiting request that is %s goes on under the model that its alias means then, read anew",
  async (_, manner) => {
    await using server = await box();
    const [goesOn, byId] = [await server.submit(ALIAS, manner), await server.submit("acme/one", manner)];
    server.write("a.yaml", "acme/two", { aliases: [ALIAS], defaults: { step_ms: 7 } });
    expect(server.reloadModels()).toMatchObject({ added: ["acme/two"], removed: ["acme/one"] });
    expect(await server.jobs.untilEnd(byId.id, AbortSignal.timeout(10_000))).toMatchObject({
      ...{ status: "failed", failure: { code: "not_found", message: expect.stringContaining("acme/one was removed") } },
    });
    await until(() => server.fleet.loads.some(({ model }) => model.id === "acme/two"));
    const order = server.fleet.loads.find(({ model }) => model.id === "acme/two");
    if (order) server.fleet.becomeReady(order.runner);
    await until(() => server.fleet.runs.length === 1);
    expect(server.jobs.find(goesOn.id)).toMatchObject({ model: "acme/two", endpoint: ALIAS, status: "running" });
    expect(server.fleet.runs[0]?.jobs[0]?.input).toMatchObject({ prompt: "hi", steps: 9 });
  },
);

test("one that the changed model does not take any more fails before it runs, with the field", async () => {
  await using server = await box();
  const { id } = await server.submit("acme/one");
  server.write("a.yaml", "acme/one", { bounds: { steps: { maximum: 5 } } });
  server.reloadModels();
  expect(await server.jobs.untilEnd(id, AbortSignal.timeout(10_000))).toMatchObject({
    ...{ status: "failed", failure: { code: "invalid_input", problems: [{ loc: ["body", "steps"] }] } },
  });
});

test("one whose runner dies after its model was removed does not wait for ever", async () => {
  await using server = await box();
  const { id } = await server.submit("acme/one");
  await until(() => server.fleet.loads.length === 1);
  const [order] = server.fleet.loads;
  if (!order) throw new Error("nothing was loaded");
  server.fleet.becomeReady(order.runner);
  await until(() => server.fleet.runs.length === 1);
  server.remove("a.yaml");
  expect(server.reloadModels()).toMatchObject({ removed: ["acme/one"] });
  expect(server.jobs.find(id)?.status).toBe("running");
  server.fleet.die(order.runner, { code: "runner_crashed", message: "It died.", details: { signal: "SIGSEGV" } });
  expect(await server.jobs.untilEnd(id, AbortSignal.timeout(10_000))).toMatchObject({
    ...{ status: "failed", failure: { code: "not_found", message: expect.stringContaining("acme/one was removed") } },
  });
});

test("what went wrong with a model says nothing of what its file makes of it then: it is tried at once", async () => {
  await using server = await box();
  await server.submit("acme/one");
  await until(() => server.fleet.loads.length === 1);
  const [order] = server.fleet.loads;
  if (!order) throw new Error("nothing was loaded");
  const reason = { code: "runner_failed" as const, message: "It does not load." };
  server.fleet.rest(asId("acme/one"), { until: instant(Date.now() + 60_000), failures: 5, reason });
  server.write("a.yaml", "acme/one", { limits: { maxBatch: 3 } });
  server.fleet.die(order.runner);
  expect(server.fleet.loads).toHaveLength(1);
  server.reloadModels();
  await until(() => server.fleet.loads.length === 2);
  expect(server.fleet.loads[1]?.model.limits.maxBatch).toBe(3);
});
