// Looks for new revisions by the clock: which models, what is tried again, and what has to wait.
import { expect, test } from "bun:test";
import { createCatalog } from "../../../src/control/catalog/catalog.ts";
import { openDatabase } from "../../../src/control/database/open.ts";
import type { FleetEvent } from "../../../src/control/fleet/events.ts";
import { createUpdateStore } from "../../../src/control/updates/update-store.ts";
import { createUpdates, type Updated, type UpdateParts } from "../../../src/control/updates/updates.ts";
import { watchFirstLoads } from "../../../src/control/updates/watch-first-load.ts";
import { openHub } from "../../../src/control/weights/access.ts";
import { pinOf } from "../../../src/control/weights/pins.ts";
import { pullModel } from "../../../src/control/weights/pull-model.ts";
import type { Device } from "../../../src/core/device.ts";
import { ForecourtError } from "../../../src/core/errors.ts";
import { asId, type ModelId, type RunnerId } from "../../../src/core/ids.ts";
import { createLog } from "../../../src/core/log.ts";
import { bytes } from "../../../src/core/units.ts";
import { modelOn, variantsOn } from "../../../src/engine/variants.ts";
import { createFakeHub, type FakeHubOptions, noise } from "../../support/fake-hub.ts";
import { createTestClock } from "../../support/test-clock.ts";
import { testModel } from "../../support/test-models.ts";
import { createToldFleet } from "../../support/told-fleet.ts";
import { until } from "../../support/until.ts";
import { scratch } from "../weights/setting.ts";

const [FIRST, SECOND, DOCS] = ["1", "2", "3"].map((digit) => digit.repeat(40)) as [string, string, string];
const old = { "a.bin": noise(100), "README.md": noise(10) };
const revisions = {
  [FIRST]: old,
  [SECOND]: { ...old, "a.bin": noise(100, 7) },
  [DOCS]: { ...old, "README.md": noise(10, 8) },
};
const device: Device = {
  ...{ id: asId("cpu"), kind: "cpu", index: 0, name: "CPU" },
  memory: { total: bytes(1e9), free: bytes(1e9) },
};
const source = { repo: "acme/weights", revision: "main", include: ["*.bin"], bytes: 100 };

async function box(parts: Partial<UpdateParts> = {}, fault?: FakeHubOptions["fault"]) {
  const folder = scratch();
  const data = folder.path;
  const hub = createFakeHub({ repos: { "acme/weights": { files: {}, revisions } }, ...(fault && { fault }) });
  const builtIn = [
    testModel("acme/tracked", { source: { ...source, track: "main" } }),
    testModel("acme/still", { source }),
    testModel("acme/both", {
      source,
      devices: { cpu: "fp32", webgpu: "fp16", cuda: "fp16" },
      variants: { fp32: { include: ["README.md"], bytes: 10 }, fp16: {} },
    }),
    testModel("acme/absent", { source: { ...source, include: ["*.md"], track: "main" } }),
  ];
  const catalog = createCatalog({ builtIn });
  const access = { endpoint: hub.endpoint };
  hub.point("acme/weights", FIRST);
  for (const id of ["acme/tracked", "acme/still"]) await pullModel({ model: entry(id).model, data, access });
  hub.point("acme/weights", SECOND);
  const clock = createTestClock();
  const database = openDatabase({ file: ":memory:" });
  const installed: string[] = [];
  const tried: string[] = [];
  const open = () =>
    createUpdates({
      variantsOf: (model) => [model],
      ...{ catalog, data, access, limits: {}, track: [], everyMs: 60 * 60 * 1000, clock, timers: clock },
      hub: openHub(access).hub,
      store: createUpdateStore(database),
      hold: () => ({ device, [Symbol.dispose]() {} }),
      tryOut: async ({ entry: { model } }) => tried.push(model.id),
      onInstalled: (model) => void installed.push(model),
      log: createLog({ level: "error", format: "json", write() {} }),
      ...parts,
    });
  let updates = open();
  function entry(id: string) {
    const found = catalog.find(id);
    if (!found) throw new Error(`no model ${id}`);
    return found;
  }
  return {
    ...{ data, hub, clock, installed, tried, entry },
    get updates() {
      return updates;
    },
    async restart() {
      await updates.stop();
      updates = open();
    },
    commit: async (id: string) => (await pinOf({ folder: "", ...entry(id).model }, data))?.commit,
    async [Symbol.asyncDispose]() {
      await updates.stop();
      database[Symbol.dispose]();
      await hub[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

test("at its time, what follows a branch and is here", async () => {
  await using here = await box();
  here.updates.start();
  const asked = here.hub.requests.length;
  here.clock.advance(4 * 60 * 1000);
  expect(here.hub.requests.length).toBe(asked);
  here.clock.advance(2 * 60 * 1000);
  await until(() => here.installed.length > 0);
  expect(here.installed).toEqual(["acme/tracked"]);
  expect(here.tried).toEqual(["acme/tracked"]);
  expect(await here.commit("acme/tracked")).toBe(SECOND);
  expect(await here.commit("acme/still")).toBe(FIRST);
  expect(here.updates.history("acme/tracked")).toMatchObject([{ state: "installed", from: FIRST, to: SECOND }]);
});

test("a server that stops in the middle of a download leaves the model as it was, and the next one updates it", async () => {
  let isHanging = false;
  const fault: FakeHubOptions["fault"] = () => (isHanging ? { type: "hang", after: 40 } : undefined);
  await using here = await box({}, fault);
  isHanging = true;
  const asked = here.hub.files.length;
  const updated = here.updates.update(here.entry("acme/tracked"));
  await until(() => here.hub.files.length > asked);
  const [refused] = await Promise.all([updated.catch(String), here.restart()]);
  expect(refused).toContain("The server stops.");
  expect(await here.commit("acme/tracked")).toBe(FIRST);
  expect(here.updates.history("acme/tracked")).toEqual([]);
  isHanging = false;
  expect(await here.updates.update(here.entry("acme/tracked"))).toMatchObject([{ state: "installed", to: SECOND }]);
  expect(await here.commit("acme/tracked")).toBe(SECOND);
  expect(here.tried).toEqual(["acme/tracked"]);
});

test("models that the settings name follow too, and one that is named by its operator at any time", async () => {
  await using here = await box({ track: ["acme/st*"] });
  const results = await here.updates.updateAll();
  expect(results.map(({ model, state }) => [model, state])).toEqual([
    ["acme/tracked", "installed"],
    ["acme/still", "installed"],
    ["acme/absent", "absent"],
  ]);
  await using other = await box();
  expect(await other.updates.update(other.entry("acme/still"))).toMatchObject([{ state: "installed" }]);
});

test("a commit that changes nothing of the model needs no trial and no new process", async () => {
  await using here = await box();
  here.hub.point("acme/weights", DOCS);
  expect(await here.updates.update(here.entry("acme/tracked"))).toMatchObject([{ state: "current", from: DOCS }]);
  expect([here.tried, here.installed, here.updates.history("acme/tracked")]).toEqual([[], [], []]);
  expect(await here.commit("acme/tracked")).toBe(DOCS);
});

test("what failed is tried again only when it is asked for", async () => {
  let trials = 0;
  await using here = await box({
    async tryOut() {
      trials++;
      throw new ForecourtError("runner_failed", "it gave nothing");
    },
  });
  const about = { model: "acme/tracked", from: FIRST, to: SECOND };
  const failed: Updated = { ...about, state: "failed", reason: "it gave nothing" };
  expect((await here.updates.updateAll())[0]).toEqual(failed);
  expect((await here.updates.updateAll())[0]).toEqual(failed);
  expect(trials).toBe(1);
  expect(await here.updates.update(here.entry("acme/tracked"))).toEqual([failed]);
  expect(trials).toBe(2);
  expect(await here.commit("acme/tracked")).toBe(FIRST);
  expect(here.installed).toEqual([]);
});

test("without room for a trial it waits, and is looked at again", async () => {
  let hasRoom = false;
  await using here = await box({ hold: () => (hasRoom ? { device, [Symbol.dispose]() {} } : undefined) });
  expect((await here.updates.updateAll())[0]).toMatchObject({ state: "postponed", to: SECOND });
  expect(await here.commit("acme/tracked")).toBe(FIRST);
  hasRoom = true;
  expect((await here.updates.updateAll())[0]).toMatchObject({ state: "installed", to: SECOND });
});

test("what passed its trial and then does not load where the model serves is taken back", async () => {
  const { subscribe, tell } = createToldFleet();
  const model = asId<ModelId>("acme/tracked");
  const gone = (runner: string, message: string): FleetEvent => ({
    ...{ type: "gone", runner: asId<RunnerId>(runner), model },
    failure: { code: "insufficient_memory", message },
  });
  const ready = (runner: string): FleetEvent => ({
    ...{ type: "ready", runner: asId<RunnerId>(runner), model, memory: bytes(1), loadMs: 1, device: "cpu" },
  });
  await using here = await box({ firstLoads: watchFirstLoads({ subscribe }) });
  tell(ready("old"));
  await here.updates.update(here.entry("acme/tracked"));
  tell(gone("old", "the old one died at its work"));
  expect(await here.commit("acme/tracked")).toBe(SECOND);
  tell(gone("new", "no room"));
  await until(() => here.installed.length === 2);
  expect(await here.commit("acme/tracked")).toBe(FIRST);
  const reason = "It passed its trial and then did not load: no room";
  expect(here.updates.history("acme/tracked")[0]).toMatchObject({ state: "failed", from: FIRST, to: SECOND, reason });
  expect((await here.updates.updateAll())[0]).toMatchObject({ state: "failed", reason });

  await here.updates.update(here.entry("acme/tracked"));
  tell(ready("newer"));
  tell(gone("newest", "long after"));
  expect((await here.updates.updateAll())[0]).toMatchObject({ state: "current", from: SECOND });
});

test("a Hub out of reach is told for each model and stops nothing", async () => {
  await using here = await box();
  here.hub.point("acme/weights", "9".repeat(40));
  expect((await here.updates.updateAll())[0]).toMatchObject({ model: "acme/tracked", state: "failed" });
  here.hub.point("acme/weights", SECOND);
  expect((await here.updates.updateAll())[0]).toMatchObject({ state: "installed" });
});

test("every variant that this box needs is tried, on a device of its kind, before any of them serves", async () => {
  const kinds = ["cuda", "cpu"] as const;
  const tried: unknown[] = [];
  let isBroken = true;
  await using here = await box({
    variantsOf: (model) => variantsOn(model, kinds),
    hold: ({ model }, variant) => {
      const kind = kinds.find((each) => modelOn(model, each) === variant) ?? "cpu";
      return { device: { ...device, kind }, [Symbol.dispose]() {} };
    },
    async tryOut({ entry: { model }, device: { kind } }) {
      tried.push([kind, model.dtype]);
      if (isBroken && kind === "cpu") throw new ForecourtError("runner_failed", "it gave nothing");
      return 1;
    },
  });
  here.hub.point("acme/weights", FIRST);
  for (const model of variantsOn(here.entry("acme/both").model, kinds))
    await pullModel({ model, data: here.data, access: { endpoint: here.hub.endpoint } });
  here.hub.point("acme/weights", SECOND);
  expect(await here.updates.update(here.entry("acme/both"))).toMatchObject([{ state: "failed" }]);
  expect(await here.commit("acme/both")).toBe(FIRST);
  isBroken = false;
  expect(await here.updates.update(here.entry("acme/both"))).toMatchObject([{ state: "installed", to: SECOND }]);
  const both = [
    ["cuda", "fp16"],
    ["cpu", "fp32"],
  ];
  expect(tried).toEqual([...both, ...both]);
});
