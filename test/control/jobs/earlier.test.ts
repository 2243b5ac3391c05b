// Requests that wait over a restart, after which their model takes other inputs: an edited model file, or a release with further fields.
import { expect, test } from "bun:test";
import { asId, type KeyId } from "../../../src/core/ids.ts";
import { isFinished } from "../../../src/core/job.ts";
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
