// Requests that wait over a restart, after which their model takes other inputs: an edited model file, or a release with further fields.
import { expect, test } from "bun:test";
import { asId, type KeyId } from "../../../src/core/ids.ts";
import { isFinished } from "../../../src/core/job.ts";
import { micros } from "../../../src/core/money.ts";
import type { Model } from "../../../src/engine/model.ts";
import { createTestAppliance, type TestAppliance } from "../../support/create-test-appliance.ts";
import { createFakeFleet } from "../../support/fake-fleet.ts";
import { testModel } from "../../support/test-models.ts";

const ID = "acme/talker";
const modelOf = ({ catalog }: TestAppliance): Model => {
  const entry = catalog.find(ID);
  if (!entry) throw new Error(`the catalogue lacks ${ID}`);
  return entry.model;
};

/** Two requests that wait; then the next server on the same data, whose model was changed. */
async function overRestart(before: Record<string, unknown>, after: Record<string, unknown>, inputs: object[]) {
  const first = await createTestAppliance({
    builtInModels: [testModel(ID, before)],
    fleet: createFakeFleet({ automatic: false }),
  });
  const submission = { model: modelOf(first), endpoint: ID, key: asId<KeyId>("key"), rejectInvalid: true };
  const ids: Awaited<ReturnType<typeof first.jobs.submit>>["id"][] = [];
  for (const input of inputs) ids.push((await first.jobs.submit({ ...submission, input })).id);
  await first.stop();
  const second = await createTestAppliance({ data: first.data, builtInModels: [testModel(ID, after)] });
  const ended = ids.map(async (id) => {
    for await (const { type } of second.jobs.watch(id, AbortSignal.timeout(60_000))) if (type === "finished") break;
    return second.jobs.find(id);
  });
  return {
    jobs: await Promise.all(ended),
    inputs: second.fleet.runs.flatMap(({ jobs }) => jobs.map(({ input }) => input)),
    async [Symbol.asyncDispose]() {
      await second.stop();
      await first[Symbol.asyncDispose]();
    },
  };
}

test("a request that fits no more fails with the fields that are wrong, and the others run", async () => {
  const inputs = [
    { prompt: "long", steps: 20 },
    { prompt: "short", steps: 2 },
  ];
  await using told = await overRestart({}, { bounds: { steps: { maximum: 5 } } }, inputs);
  const [long, short] = told.jobs;
  expect(long).toMatchObject({ status: "failed", failure: { code: "invalid_input" } });
  if (long?.status !== "failed") throw new Error("it should have failed");
  expect(long.failure.message).toContain(`The model ${ID} was changed while this request waited`);
  expect(long.failure.problems).toMatchObject([{ loc: ["body", "steps"] }]);
  expect(short).toMatchObject({ status: "done", output: { prompt: "short", steps: 2 } });
  expect(told.inputs).toMatchObject([{ prompt: "short" }]);
});

test("what the model takes now beside what was given has its default", async () => {
  const drawing = {
    pipeline: "text-to-image",
    category: "text-to-image",
    price: { unit: "image", amount: 0, currency: "USD" },
  };
  await using told = await overRestart({}, drawing, [{ prompt: "a red circle" }]);
  const [input] = told.inputs;
  expect(input).toMatchObject({ prompt: "a red circle", num_images: 1, loras: [] });
  expect(input).not.toHaveProperty("step_ms");
  expect(told.jobs.every((job) => job && isFinished(job))).toBe(true);
});

test("a request under an alias goes on under the model that it means now, read anew, and counts for it", async () => {
  const ALIAS = "fal-ai/talk";
  const [first, fleet] = [{ aliases: [ALIAS] }, createFakeFleet({ automatic: false })];
  await using before = await createTestAppliance({ builtInModels: [testModel(ID, first)], fleet });
  const paid = { limits: { budgets: [{ unit: "requests", amount: micros(5), window: "day" as const }] } };
  before.accounts.store.setLimits({ kind: "model", id: ID }, paid.limits);
  const submission = { model: modelOf(before), rejectInvalid: true };
  const submit = async (endpoint: string, { models, steps = 1 }: { models?: string[]; steps?: number } = {}) => {
    const { key } = before.keys.create({ name: "caller", scope: "api", ...(models && { models }) });
    return (await before.jobs.submit({ ...submission, endpoint, key: key.id, input: { prompt: "hi", steps } })).id;
  };
  const [goesOn, long] = [await submit(ALIAS), await submit(ALIAS, { steps: 20 })];
  const [mayNot, byId] = [await submit(ALIAS, { models: [ID] }), await submit(ID)];
  await before.stop();

  const renamed = testModel("acme/speaker", { ...first, bounds: { steps: { maximum: 5 } } });
  await using after = await createTestAppliance({ data: before.data, builtInModels: [renamed] });
  after.accounts.store.setLimits({ kind: "model", id: "acme/speaker" }, paid.limits);
  for (const id of [goesOn, long, mayNot, byId]) await after.jobs.untilEnd(id, AbortSignal.timeout(60_000));
  expect(after.jobs.find(goesOn)).toMatchObject({
    ...{ status: "done", model: "acme/speaker", endpoint: ALIAS, output: { prompt: "hi" } },
  });
  expect(after.accounts.usage.row(goesOn)).toMatchObject({ model: "acme/speaker", outcome: "done" });
  const [budget] = after.accounts.stateOf({ kind: "model", id: "acme/speaker" }).budgets;
  expect(budget).toMatchObject({ spent: micros(1), reserved: 0 });
  expect(after.jobs.find(long)).toMatchObject({
    status: "failed",
    failure: { problems: [{ loc: ["body", "steps"] }] },
  });
  const why = `The endpoint ${ALIAS} came to mean the model acme/speaker while this request waited. This key may not use`;
  expect(after.jobs.find(mayNot)).toMatchObject({
    ...{ status: "failed", failure: { code: "forbidden", message: expect.stringContaining(why) } },
  });
  expect(after.jobs.find(byId)).toMatchObject({ status: "failed", failure: { code: "not_found" } });
});
