// How long a job has still to wait: what its model took before, for each that stands before it.
import { expect, test } from "bun:test";
import { estimateWait } from "../../../src/control/scheduler/estimate-wait.ts";
import { asId, type ModelId } from "../../../src/core/ids.ts";
import { instant, milliseconds } from "../../../src/core/units.ts";
import { factsOf, NOW, type World } from "./world.ts";

const A = asId<ModelId>("A");

type Seen = { runners?: World["runners"]; position?: number; times?: { runMs?: number; loadMs?: number } };

function waitIn({ runners = {}, position = 0, times = { runMs: 100, loadMs: 1_000 } }: Seen) {
  return estimateWait(
    { model: A, position },
    {
      fleet: { runners: () => [...factsOf({ runners }).runners] },
      catalog: { find: () => undefined },
      experience: { times: () => times },
      now: instant(NOW),
    },
  );
}

test.each<[string, Seen, number | undefined]>([
  ["unknown before the model ran once", { runners: { A: {} }, times: { loadMs: 1_000 } }, undefined],
  ["none with a ready runner and nobody before it", { runners: { A: {} } }, 0],
  ["a run for each that stands before it", { runners: { A: {} }, position: 3 }, 300],
  ["half a run for the one in progress", { runners: { A: { state: "busy" } }, position: 3 }, 350],
  ["shared by the model's runners", { runners: { "A@cpu": {}, "A@cuda:0": { state: "busy" } }, position: 3 }, 175],
  ["not by those of other models", { runners: { A: {}, B: {}, C: { state: "busy" } }, position: 3 }, 300],
  ["not by one that is stopping", { runners: { "A@cpu": {}, "A@cuda:0": { state: "stopping" } }, position: 3 }, 300],
  ["loading first where there is no runner", { position: 3 }, 1_300],
  ["also where the only one is stopping", { runners: { A: { state: "stopping" } } }, 1_000],
  ["what is left of loading while one starts", { runners: { A: { state: "starting", idle: 400 } }, position: 1 }, 700],
  ["nothing more of loading that takes longer than before", { runners: { A: { state: "starting", idle: 4_000 } } }, 0],
  ["no loading when another runner is ready", { runners: { "A@cpu": {}, "A@cuda:0": { state: "starting" } } }, 0],
  ["no loading of a model whose loading was never seen", { times: { runMs: 100 }, position: 2 }, 200],
])("the wait is %s", (_, seen, wait) => {
  expect(waitIn(seen)).toBe(wait === undefined ? undefined : milliseconds(wait));
});
