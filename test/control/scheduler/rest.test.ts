// When a look need not gather all facts, because nothing but waiting jobs could be decided.
import { expect, test } from "bun:test";
import { type RestSources, restOf } from "../../../src/control/scheduler/rest.ts";
import { asId, type ModelId } from "../../../src/core/ids.ts";
import { type Instant, instant, milliseconds } from "../../../src/core/units.ts";
import { factsOf, NOW, type World } from "./world.ts";

type Sources = {
  runners?: World["runners"];
  /** Models that are to be loaded ahead. */
  ahead?: string[];
  idleUnload?: number;
  isOutdated?: true;
  readIsDue?: true;
  reloadIsDue?: true;
  /** In so many milliseconds. */
  nextReload?: number;
};

function restIn({ runners = {}, ahead = [], idleUnload, nextReload, ...is }: Sources) {
  const sources: RestSources = {
    fleet: { runners: () => [...factsOf({ runners }).runners] },
    ahead: { isDone: (isLoaded) => ahead.map((model) => asId<ModelId>(model)).every(isLoaded) },
    outdated: { isEmpty: () => !is.isOutdated },
    readAhead: { isDue: () => is.readIsDue === true },
    reloads: {
      isDue: () => is.reloadIsDue === true,
      next: () => (nextReload === undefined ? undefined : instant(NOW + nextReload)),
    },
    ...(idleUnload !== undefined && { idleUnload: milliseconds(idleUnload) }),
  };
  return restOf(sources, instant(NOW));
}

test.each<[string, Sources, number | undefined]>([
  ["for ever when nothing is to come", { runners: { A: {} } }, undefined],
  ["also with models loaded ahead that are there", { runners: { A: {}, B: {}, C: {} }, ahead: ["A", "B"] }, undefined],
  ["until the first runner has been idle too long", { runners: { A: { idle: 200 } }, idleUnload: 500 }, 300],
  ["until a model may be loaded again", { runners: { A: {} }, nextReload: 700 }, 700],
  ["until the earlier of both", { runners: { A: { idle: 200 } }, idleUnload: 500, nextReload: 700 }, 300],
])("there is rest %s", (_, sources, until) => {
  const next: Instant | undefined = until === undefined ? undefined : instant(NOW + until);
  expect(restIn(sources)).toMatchObject({ next, runners: Object.keys(sources.runners ?? {}).map(() => ({})) });
});

test.each<[string, Sources]>([
  ["one of the models to be loaded ahead is missing", { runners: { A: {} }, ahead: ["A", "B"] }],
  ["a runner has been idle too long", { runners: { A: { idle: 500 } }, idleUnload: 500 }],
  ["a runner has other weights than its model", { runners: { A: {} }, isOutdated: true }],
  ["weights are to be read ahead", { readIsDue: true }],
  ["a model may be loaded again", { reloadIsDue: true }],
])("there is none when %s", (_, sources) => {
  expect(restIn(sources)).toBeUndefined();
});
