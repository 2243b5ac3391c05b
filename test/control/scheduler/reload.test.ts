// Popular models come back in quiet moments, and nobody waits for it.
import { afterEach, expect, test } from "bun:test";
import type { Catalog, CatalogEntry } from "../../../src/control/catalog/catalog.ts";
import { decide } from "../../../src/control/scheduler/decide.ts";
import { createReloads } from "../../../src/control/scheduler/reloads.ts";
import { defaultSettings, type Settings } from "../../../src/control/settings.ts";
import { asId, type DeviceId, type KeyId, type ModelId, type RunnerId } from "../../../src/core/ids.ts";
import { bytes, instant } from "../../../src/core/units.ts";
import { createTestAppliance, type TestAppliance } from "../../support/create-test-appliance.ts";
import { createFakeFleet, killed } from "../../support/fake-fleet.ts";
import { echoModel } from "../../support/fleet-watcher.ts";
import { createTestClock } from "../../support/test-clock.ts";
import { testModel } from "../../support/test-models.ts";
import { until } from "../../support/until.ts";
import { factsOf, inWords, type World } from "./world.ts";

const RESTED = { idle: 121_000 };
const worth = (of: Record<string, number>): NonNullable<World["models"]> =>
  Object.fromEntries(Object.entries(of).map(([model, value]) => [model, { worth: value }]));
/** A had to make room for B, of which there is room for one. */
const usual = { reload: ["A"], runners: { B: RESTED }, budget: 150, models: worth({ A: 3, B: 1 }) };

const cases: [string, World, string[]][] = [
  ["an idle one that is worth less makes room", usual, ["evict B"]],
  ["it is loaded once there is room", { ...usual, runners: {} }, ["load A cpu"]],
  ["not in place of one that is worth nearly as much", { ...usual, models: worth({ A: 3, B: 2.1 }) }, []],
  ["nor of one that was used two minutes ago", { ...usual, runners: { B: { idle: 119_000 } } }, []],
  ["nor of one that has just been loaded", { ...usual, runners: { B: { ...RESTED, readyFor: 119_000 } } }, []],
  ["nor of a pinned one", { ...usual, models: { A: { worth: 3 }, B: { isPinned: true } } }, []],
  ["nor of one with jobs", { ...usual, jobs: { "B#1": {} } }, ["run B#1"]],
  ["the most popular by the byte comes first", { ...usual, reload: ["C", "A"], runners: {} }, ["load A cpu"]],
  [
    "which is not the most popular one, if that is large",
    { ...usual, reload: ["C", "A"], runners: {}, sizes: { C: 300 }, budget: 500, models: worth({ A: 3, C: 4 }) },
    ["load A cpu"],
  ],
  [
    "beside what is done for jobs",
    { ...usual, jobs: { "D#1": {} }, runners: { "D@cuda:0": {} }, gpu: 500, budget: 50 },
    ["run D#1 @cuda:0", "load A cuda:0"],
  ],
  [
    "never in place of one that works, however long ago that began",
    { ...usual, runners: { "B@cuda:0": { ...RESTED, state: "busy" } }, gpu: 150, budget: 50 },
    [],
  ],
  [
    "one at a time, whatever room there is",
    { ...usual, reload: ["A", "C"], runners: {}, budget: 1_000, models: worth({ A: 3, C: 2 }) },
    ["load A cpu"],
  ],
  [
    "not while another one comes back",
    { ...usual, gpu: 100, runners: { "D@cuda:0": { state: "starting" } }, reloading: ["D@cuda:0"], budget: 500 },
    [],
  ],
  [
    "not while a job waits for memory",
    { ...usual, jobs: { "C#1": {} }, runners: { B: RESTED, D: { state: "busy" } }, budget: 1, gpu: 0, gpus: [] },
    ["refuse C#1 insufficient_memory"],
  ],
  ["not while something ends there", { ...usual, runners: { B: RESTED, C: { state: "stopping" } } }, []],
  ["not while something starts there", { ...usual, runners: { B: RESTED, C: { state: "starting" } }, budget: 250 }, []],
  ["not on a processor that works", { ...usual, runners: { C: { state: "busy" } }, budget: 500 }, []],
  ["a GPU may work meanwhile", { ...usual, runners: { "C@cuda:0": { state: "busy" } }, gpu: 500 }, ["load A cuda:0"]],
  ["not on a lost device", { ...usual, runners: {}, gpu: 500, lost: ["cuda:0"], budget: 50 }, []],
  ["nor while it rests after a failure", { ...usual, runners: {}, backOffs: { A: { for: 1_000 } } }, []],
  [
    "a job of another model takes the memory of what comes back",
    { jobs: { "C#1": {} }, runners: { A: { state: "starting" } }, reloading: ["A"], budget: 150 },
    ["evict A"],
  ],
  [
    "but not if a job waits for that by now",
    { jobs: { "A#1": { age: 9 }, "C#1": {} }, runners: { A: { state: "starting" } }, reloading: ["A"], budget: 150 },
    [],
  ],
  [
    "what a job loads keeps its memory",
    { jobs: { "C#1": {} }, runners: { A: { state: "starting" } }, budget: 150 },
    [],
  ],
];

test.each(cases)("%s", (_, world, expected) => {
  expect(inWords(decide(factsOf(world)))).toEqual(expected);
});

test("two models that are asked for equally often do not take turns", () => {
  let loaded = "B";
  for (let look = 0; look < 50; look++) {
    const away = loaded === "A" ? "B" : "A";
    const models = worth({ A: 1 + 0.2 * Math.sin(look), B: 1 + 0.2 * Math.cos(look) });
    const world = { reload: [away], runners: { [loaded]: RESTED }, budget: 150, models };
    if (decide(factsOf(world)).length > 0) loaded = away;
  }
  expect(loaded).toBe("B");
});

const opened: TestAppliance[] = [];
afterEach(async () => {
  for (const appliance of opened.splice(0)) await appliance[Symbol.asyncDispose]();
});

const A = "test/a";
const B = "test/b";
const MINUTE = 60_000;

/** A box with room for one model: A was asked for three times, then B, for which it had to go. */
async function stage(memory: Partial<Settings["memory"]> = {}) {
  const clock = createTestClock();
  const fleet = createFakeFleet({ automatic: false, clock });
  const usual = { ...defaultSettings("/").memory, budgetMb: 150 };
  const settings = { memory: { ...usual, ...memory } };
  const models = [testModel(A), testModel(B)];
  const appliance = await createTestAppliance({ clock, timers: clock, fleet, builtInModels: models, settings });
  opened.push(appliance);
  const { catalog, jobs } = appliance;
  const submit = async (model: string) => {
    const entry = catalog.find(model);
    if (!entry) throw new Error(`no model ${model}`);
    const key = asId<KeyId>("key");
    return await jobs.submit({
      model: entry.model,
      endpoint: model,
      key,
      input: { prompt: "hi" },
      rejectInvalid: true,
    });
  };
  const load = async (count: number) => {
    await until(() => fleet.loads.length >= count);
    const runner = fleet.loads[count - 1]?.runner;
    if (!runner) throw new Error("nothing was loaded");
    return runner;
  };
  let runs = 0;
  const serve = async () => {
    runs++;
    await until(() => fleet.runs.length >= runs);
    const batch = fleet.runs[runs - 1]?.batch;
    if (!batch) throw new Error("nothing was run");
    fleet.step(batch, { type: "output", value: { prompt: "hi", steps: 1 }, units: { requests: 1 } });
    fleet.end(batch);
  };
  const evicted = async (count: number): Promise<RunnerId> => {
    await until(() => fleet.evictions.length >= count);
    const runner = fleet.evictions[count - 1];
    if (!runner) throw new Error("nobody was asked to go");
    fleet.die(runner);
    return runner;
  };
  await submit(A);
  fleet.becomeReady(await load(1));
  await serve();
  for (let more = 0; more < 2; more++) {
    clock.advance(MINUTE);
    await submit(A);
    await serve();
  }
  await submit(B);
  await evicted(1);
  fleet.becomeReady(await load(2));
  await serve();
  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  };
  /** Looks come with timers only. */
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 10_000) {
      clock.advance(10_000);
      await settle();
    }
  };
  return { ...appliance, clock, fleet, submit, load, serve, evicted, pass };
}

test("a popular model that had to make room is loaded again once the box is quiet", async () => {
  const on = await stage();
  await on.pass(100_000);
  expect(on.fleet.evictions).toHaveLength(1);
  await on.pass(40_000);
  await on.evicted(2);
  const runner = await on.load(3);
  expect(on.fleet.loads[2]).toMatchObject({ model: { id: A }, isReload: true });
  on.fleet.becomeReady(runner);
  await on.submit(A);
  await on.serve();
  expect(on.fleet.loads).toHaveLength(3);
  const metrics = await on.oversight.metrics.text();
  const count = (name: string) =>
    new RegExp(`forecourt_${name}_count\\{model="${A}",device="cpu"\\} (\\d+)`).exec(metrics)?.[1];
  expect([count("model_load_seconds"), count("model_reload_seconds")]).toEqual(["1", "1"]);
});

test("a job of another model ends what comes back, and begins as soon as its own is loaded", async () => {
  const on = await stage();
  await on.pass(140_000);
  await on.evicted(2);
  const again = await on.load(3);
  await on.submit(B);
  expect(await on.evicted(3)).toBe(again);
  on.fleet.becomeReady(await on.load(4));
  expect(on.fleet.loads[3]).toMatchObject({ model: { id: B } });
  await on.serve();
});

test.each([
  ["memory.reload is false", { reload: false }],
  ["models are unloaded for being idle", { idleUnloadSeconds: 86_400 }],
])("nothing comes back by itself where %s", async (_, memory) => {
  const on = await stage(memory);
  await on.pass(200_000);
  expect(on.fleet.evictions).toHaveLength(1);
  expect(on.fleet.loads).toHaveLength(2);
});

test("nor a model that failed to start, nor what no one asked for in six hours", async () => {
  const failing = await stage();
  failing.fleet.rest(asId<ModelId>(A), { until: instant(failing.clock.now() + 1_000), failures: 3, reason: killed });
  await failing.pass(200_000);
  expect(failing.fleet.loads).toHaveLength(2);
  const quiet = await stage();
  quiet.clock.advance(6 * 3_600_000);
  await quiet.pass(200_000);
  expect(quiet.fleet.evictions).toHaveLength(1);
});

/** What decides when to look, over a box of one model whose runner makes room. */
function watched(weightsHere: () => Promise<string>) {
  const [runner, model] = [asId<RunnerId>("r-A"), asId<ModelId>(A)];
  const entry = { model: echoModel({ id: A }) } as CatalogEntry; // only its model is looked at
  const usedAt = instant(1_000_000);
  const fact = { id: runner, model, device: asId<DeviceId>("cpu"), state: "ready" as const, memory: bytes(1) };
  const reloads = createReloads({
    ...{ isOn: true, weightsHere, media: undefined as never, onSettled: () => {} },
    catalog: { find: () => entry } as unknown as Catalog,
    fleet: { runners: () => [{ ...fact, lastUsedAt: usedAt }], backOffs: () => new Map() },
    experience: { rate: () => 1 },
    devices: () => [{ id: asId<DeviceId>("cpu"), kind: "cpu", budget: bytes(1) }],
  });
  const evict = (at: number) => reloads.decided([{ type: "evict", runner }], instant(at));
  const at = (now: number) => reloads.facts({ now: instant(now), runners: [], kindsOf: () => ["cpu"] }).reload;
  return { reloads, runner, model, evict, at, usedAt };
}

test("nothing is looked at before somebody had to make room, and no more once the box was not used for ten minutes", () => {
  const { reloads, evict, usedAt } = watched(async () => "/weights");
  expect([reloads.isDue(usedAt), reloads.next()]).toEqual([false, undefined]);
  evict(usedAt);
  expect([reloads.isDue(usedAt), reloads.next()]).toEqual([false, instant(usedAt + 10_000)]);
  expect(reloads.isDue(instant(usedAt + 10_000))).toBe(true);
  evict(usedAt + 600_000);
  expect(reloads.next()).toBeUndefined();
});

test("a model whose weights are no longer here is not tried, nor asked for again", async () => {
  let asked = 0;
  const gone = watched(() => Promise.reject(new Error(`gone ${++asked}`)));
  const here = watched(async () => "/weights");
  for (const each of [gone, here]) {
    each.evict(each.usedAt);
    expect(each.at(each.usedAt + 10_000)?.models).toEqual([]);
    await new Promise(setImmediate);
  }
  expect(here.at(here.usedAt + 20_000)?.models).toEqual([here.model]);
  for (const later of [20_000, 30_000, 700_000]) expect(gone.at(gone.usedAt + later)?.models ?? []).toEqual([]);
  expect(asked).toBe(1);
});

test("a device rests for four times as long as a load took there", () => {
  const { reloads, runner, model, evict, at, usedAt } = watched(async () => "/weights");
  const device = asId<DeviceId>("cpu");
  evict(usedAt);
  reloads.begun({ runner, model, device });
  const began = reloads.facts({ now: usedAt, runners: [], kindsOf: () => ["cpu"] });
  expect([...(began.reloading ?? [])]).toEqual([runner]);
  const ready = { type: "ready", runner, model, memory: bytes(1), loadMs: 5_000, device: "cpu" } as const;
  reloads.record(ready, instant(usedAt + 20_000));
  expect([...(at(usedAt + 39_000)?.devices ?? [])]).toEqual([]);
  expect([...(at(usedAt + 40_000)?.devices ?? [])]).toEqual([device]);
});
