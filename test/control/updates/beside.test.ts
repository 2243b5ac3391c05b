// New revisions of a model of several repositories: each by itself, tried within the whole model.
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createCatalog } from "../../../src/control/catalog/catalog.ts";
import { openDatabase } from "../../../src/control/database/open.ts";
import { createUpdateStore } from "../../../src/control/updates/update-store.ts";
import { createUpdates, type UpdateParts } from "../../../src/control/updates/updates.ts";
import { watchFirstLoads } from "../../../src/control/updates/watch-first-load.ts";
import { openHub } from "../../../src/control/weights/access.ts";
import { resolveWeights } from "../../../src/control/weights/embedded.ts";
import { pinOf } from "../../../src/control/weights/pins.ts";
import { pullModel } from "../../../src/control/weights/pull-model.ts";
import type { Device } from "../../../src/core/device.ts";
import { ForecourtError } from "../../../src/core/errors.ts";
import { asId, type ModelId, type RunnerId } from "../../../src/core/ids.ts";
import { silentLog } from "../../../src/core/log.ts";
import { bytes } from "../../../src/core/units.ts";
import { partsOf } from "../../../src/engine/sources.ts";
import { createFakeHub, noise } from "../../support/fake-hub.ts";
import { createTestClock } from "../../support/test-clock.ts";
import { createToldFleet } from "../../support/told-fleet.ts";
import { earFiles, earsSource, ownFiles, twoSources } from "../../support/two-sources.ts";
import { until } from "../../support/until.ts";
import { scratch } from "../weights/setting.ts";

const [FIRST, SECOND, THIRD] = ["1", "2", "3"].map((digit) => digit.repeat(40)) as [string, string, string];
const GRAPH = "onnx/model.onnx";
const revisionsOf = <F extends Record<string, Uint8Array>>(files: F, seed: number) => ({
  [FIRST]: files,
  [SECOND]: { ...files, [GRAPH]: noise(500, seed) },
  [THIRD]: { ...files, [GRAPH]: noise(500, seed + 1) },
});
const device: Device = {
  ...{ id: asId("cpu"), kind: "cpu", index: 0, name: "CPU" },
  memory: { total: bytes(1e9), free: bytes(1e9) },
};

/** A box that has the first revision of both; the Hub is at the second. Only `ears` is followed. */
async function box(parts: Partial<UpdateParts> = {}) {
  const folder = scratch();
  const data = folder.path;
  const hub = createFakeHub({
    repos: {
      "acme/own": { files: {}, revisions: revisionsOf(ownFiles, 11) },
      "acme/ears": { files: {}, revisions: revisionsOf(earFiles, 21) },
    },
  });
  const followed = { ears: { source: { ...earsSource, track: "main" } } };
  const catalog = createCatalog({ builtIn: [twoSources({ beside: followed })] });
  const entry = catalog.find("acme/two");
  if (!entry) throw new Error("it is in the catalogue");
  const { model } = entry;
  const access = { endpoint: hub.endpoint };
  const point = (commit: string) => ["acme/own", "acme/ears"].map((repo) => hub.point(repo, commit));
  point(FIRST);
  await pullModel({ model, data, access });
  point(SECOND);
  const database = openDatabase({ file: ":memory:" });
  const clock = createTestClock();
  const installed: string[] = [];
  /** First bytes of both graphs in the folder that was tried. */
  const tried: [number | undefined, number | undefined][] = [];
  const look = (weights: string) =>
    tried.push([readFileSync(join(weights, GRAPH))[0], readFileSync(join(weights, "ears", GRAPH))[0]]);
  const updates = createUpdates({
    variantsOf: (given) => [given],
    ...{ catalog, data, access, limits: {}, track: [], everyMs: 0, clock, timers: clock, log: silentLog },
    hub: openHub(access).hub,
    store: createUpdateStore(database),
    hold: () => ({ device, [Symbol.dispose]() {} }),
    tryOut: async ({ weights }) => look(weights),
    onInstalled: (id) => void installed.push(id),
    ...parts,
  });
  return {
    ...{ data, entry, model, updates, tried, look, installed, point },
    commits: async () => await Promise.all(partsOf(model).map(async (part) => (await pinOf(part, data))?.commit)),
    async [Symbol.asyncDispose]() {
      await updates.stop();
      database[Symbol.dispose]();
      await hub[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

const first = (files: Record<string, Uint8Array>) => files[GRAPH]?.[0];
const fresh = (seed: number) => noise(500, seed)[0];

test("only the source that follows a branch is updated by itself, and tried with the other as it is", async () => {
  await using here = await box();
  const old = await resolveWeights({ model: here.model, data: here.data });
  expect(await here.updates.updateAll()).toEqual([
    { model: "acme/two", beside: "ears", state: "installed", from: FIRST, to: SECOND },
  ]);
  expect(await here.commits()).toEqual([FIRST, SECOND]);
  expect(here.tried).toEqual([[first(ownFiles), fresh(21)]]);
  const now = await resolveWeights({ model: here.model, data: here.data });
  expect(now).not.toBe(old);
  expect(readFileSync(join(now, "ears", GRAPH)).equals(noise(500, 21))).toBe(true);
  expect(readFileSync(join(old, "ears", GRAPH)).equals(earFiles[GRAPH])).toBe(true); // its runners may still read it
  expect(await here.updates.updateAll()).toMatchObject([{ state: "current", from: SECOND }]);

  here.point(THIRD);
  expect(await here.updates.updateAll()).toMatchObject([{ state: "installed", from: SECOND, to: THIRD }]);
  expect(existsSync(old)).toBe(false); // with what was before the last one
});

test("asked for, all of them are, one after the other, and one that fails keeps no other back", async () => {
  await using here = await box({
    async tryOut({ weights }) {
      here.look(weights);
      if (here.tried.length === 1) throw new ForecourtError("runner_failed", "it gave nothing");
      return 1;
    },
  });
  expect(await here.updates.update(here.entry)).toEqual([
    { model: "acme/two", state: "failed", from: FIRST, to: SECOND, reason: "it gave nothing" },
    { model: "acme/two", beside: "ears", state: "installed", from: FIRST, to: SECOND },
  ]);
  expect(here.tried).toEqual([
    [fresh(11), first(earFiles)],
    [first(ownFiles), fresh(21)],
  ]);
  expect(await here.commits()).toEqual([FIRST, SECOND]);
  expect(here.updates.history("acme/two")).toMatchObject([
    { repo: "acme/ears", state: "installed" },
    { repo: "acme/own", state: "failed" },
  ]);
});

test("the settings' list means all of them; what failed of one is not tried again by itself", async () => {
  let trials = 0;
  await using here = await box({
    track: ["acme/*"],
    async tryOut() {
      trials++;
      throw new ForecourtError("runner_failed", "it gave nothing");
    },
  });
  const failed = [{ state: "failed" }, { beside: "ears", state: "failed" }];
  expect(await here.updates.updateAll()).toMatchObject(failed);
  expect(await here.updates.updateAll()).toMatchObject(failed);
  expect(trials).toBe(2);
  expect(await here.commits()).toEqual([FIRST, FIRST]);
});

test("what then does not load is taken back, all that was taken over since the last load", async () => {
  const fleet = createToldFleet();
  await using here = await box({ firstLoads: watchFirstLoads(fleet) });
  await here.updates.update(here.entry);
  expect(await here.commits()).toEqual([SECOND, SECOND]);
  fleet.tell({
    ...{ type: "gone", runner: asId<RunnerId>("new"), model: asId<ModelId>("acme/two") },
    failure: { code: "insufficient_memory", message: "no room" },
  });
  await until(() => here.installed.length === 4);
  expect(await here.commits()).toEqual([FIRST, FIRST]);
  expect(here.updates.history("acme/two")).toMatchObject([
    { repo: "acme/own", state: "failed", reason: "It passed its trial and then did not load: no room" },
    { repo: "acme/ears", state: "failed" },
    { repo: "acme/ears", state: "installed" },
    { repo: "acme/own", state: "installed" },
  ]);
});
