// Which weights are read ahead: of a model in line for memory first, else of the one that is asked for most.
import { expect, test } from "bun:test";
import type { CatalogEntry } from "../../../src/control/catalog/catalog.ts";
import { createReadAhead } from "../../../src/control/scheduler/read-ahead.ts";
import type { Facts } from "../../../src/control/scheduler/situation.ts";
import { asId, type ModelId } from "../../../src/core/ids.ts";
import { instant } from "../../../src/core/units.ts";
import { echoModel } from "../../support/fleet-watcher.ts";

const id = (name: string) => asId<ModelId>(`lab/${name}`);
const weights = (size: number) => ({ weights: size, working: 0 });
const models = ["a", "b", "c"].map(
  // Only these parts of an entry are looked at.
  (name) => ({ model: echoModel({ id: id(name), memory: weights(name === "c" ? 1e12 : 1e9) }) }) as CatalogEntry,
);

function stage(rates: Record<string, number> = {}) {
  const read: string[] = [];
  const readAhead = createReadAhead({
    catalog: { find: (model) => models.find((each) => each.model.id === model) },
    fleet: { readAhead: (folder) => read.push(folder) > 0 },
    experience: { rate: (model) => rates[model] ?? 0 },
    preparation: { folder: (model) => `/weights/${model}` },
    freeMemory: () => 16e9,
    clock: { now: () => instant(0) },
  });
  const look = (at: number, given: { waiting?: string[]; loaded?: string[]; state?: string } = {}) => {
    const { waiting = [], loaded = [], state = "ready" } = given;
    // Only these parts of the facts are looked at.
    readAhead.look({
      now: instant(at),
      jobs: waiting.map((name) => ({ model: id(name) })),
      runners: loaded.map((name) => ({ model: id(name), state })),
    } as unknown as Facts);
    return read.splice(0);
  };
  return { look, note: readAhead.note };
}

test("a model that waits for memory is read once, and not while it has a runner", () => {
  const { look } = stage();
  expect(look(0, { waiting: ["a"], loaded: ["b"] })).toEqual(["/weights/lab/a"]);
  expect(look(1_000, { waiting: ["a"], loaded: ["b"] })).toEqual([]);
  expect(look(2_000, { waiting: ["b"], loaded: ["b"] })).toEqual([]);
  expect(look(700_000, { waiting: ["a"], loaded: ["b"] })).toEqual(["/weights/lab/a"]);
});

test("otherwise the one that is asked for most of those loaded before, when the disk is idle", () => {
  const { look, note } = stage({ "lab/a": 1, "lab/b": 5 });
  expect(look(700_000)).toEqual([]);
  note(id("a"), "/weights/lab/a");
  note(id("b"), "/weights/lab/b");
  expect(look(800_000, { loaded: ["c"], state: "starting" })).toEqual([]);
  expect(look(801_000, { loaded: ["b"] })).toEqual(["/weights/lab/a"]);
  expect(look(802_000)).toEqual([]);
  expect(look(840_000)).toEqual(["/weights/lab/b"]);
});

test("what half of the free memory does not hold is not read: it would push out itself", () => {
  expect(stage().look(0, { waiting: ["c"] })).toEqual([]);
});
