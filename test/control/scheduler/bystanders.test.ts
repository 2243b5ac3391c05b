// Several jobs on one runner, of which one does not end when it is to: the others are not to blame.
import { expect, test } from "bun:test";
import { asId, type KeyId } from "../../../src/core/ids.ts";
import { createTestAppliance } from "../../support/create-test-appliance.ts";
import { createFakeFleet } from "../../support/fake-fleet.ts";
import { createTestClock } from "../../support/test-clock.ts";
import { testModel } from "../../support/test-models.ts";
import { until } from "../../support/until.ts";

const talking = { limits: { maxBatch: 3 } };

test("a runner that is ended for a cancel that it ignored takes no other job along", async () => {
  const clock = createTestClock();
  const fleet = createFakeFleet({ automatic: false, clock });
  const builtInModels = [testModel("test/a", talking)];
  await using on = await createTestAppliance({ clock, timers: clock, fleet, builtInModels });
  const entry = on.catalog.find("test/a");
  if (!entry) throw new Error("the model is in the catalogue");
  const { model } = entry;
  const submit = (retry: boolean) =>
    on.jobs.submit({
      ...{ model, endpoint: model.id, key: asId<KeyId>("key"), input: { prompt: "hi" } },
      ...{ rejectInvalid: true, retry },
    });
  const [cancelled, other, once] = [await submit(true), await submit(true), await submit(false)];
  await until(() => fleet.loads.length === 1);
  const [load] = fleet.loads;
  if (!load) throw new Error("loaded");
  fleet.becomeReady(load.runner);
  await until(() => {
    clock.advance(10);
    return on.jobs.queue().running === 3;
  });
  on.jobs.cancel(cancelled.id);
  fleet.die(load.runner, { code: "client_cancelled", message: "The job was cancelled; its runner did not obey." });
  const statusOf = ({ id }: { id: typeof other.id }) => on.jobs.find(id);
  expect(statusOf(cancelled)?.status).toBe("cancelled");
  expect(statusOf(other)).toMatchObject({ status: "queued", attempts: 1 });
  expect(statusOf(once)).toMatchObject({
    ...{ status: "failed", failure: { code: "runner_crashed", message: expect.stringContaining("another request") } },
  });
});
