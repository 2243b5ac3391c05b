// The policy in numbers, on traffic small enough for every test run; `bun run simulate` prints the whole table.
import { expect, test } from "bun:test";
import { decide } from "../../src/control/scheduler/decide.ts";
import type { Facts, WaitingJob } from "../../src/control/scheduler/situation.ts";
import { asId, type DeviceId, type JobId, type RunnerId } from "../../src/core/ids.ts";
import { bytes, instant, milliseconds } from "../../src/core/units.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { clairvoyant, leastRecentlyUsed, ourPolicy } from "./policies.ts";
import { quantiles, simulate } from "./simulate.ts";
import { createModels, createTraffic } from "./traffic.ts";

const GIB = 1024 ** 3;

test("with a shifting favourite it has at least a quarter fewer cold starts than LRU, and no longer waits", () => {
  const models = createModels(600, seededRandom(7));
  const dice = seededRandom(8);
  const traffic = createTraffic({ models: 600, requests: 8_000, rate: 1.4, shiftMs: 480_000, sitting: 4, dice });
  const box = { gpus: 8, budget: bytes(72 * GIB) };
  const play = (policy: ReturnType<typeof ourPolicy>) => simulate({ policy, models, traffic, box });
  const [lru, ours, bound] = [leastRecentlyUsed(models), ourPolicy(models), clairvoyant(models, traffic, 0)].map(play);
  if (!lru || !ours || !bound) throw new Error("three outcomes");
  expect(ours.coldStarts).toBeLessThan(0.75 * lru.coldStarts);
  expect(ours.waitMs.p99).toBeLessThanOrEqual(lru.waitMs.p99);
  // The aim is 1.3; what is reached is written in the design note.
  expect(ours.coldStarts / bound.coldStarts).toBeLessThan(1.7);
}, 60_000);

/** A box of 8 GPUs with 60 loaded models of 600, and 10,000 jobs that wait for all of them. */
function crowded(): Facts {
  const models = createModels(600, seededRandom(7));
  const dice = seededRandom(3);
  const loaded = models.slice(0, 60).map(({ id, footprint }, at) => ({
    ...{ id: asId<RunnerId>(`r-${at}`), model: id, device: asId<DeviceId>(`cuda:${at % 8}`), memory: footprint },
    ...{ state: at % 3 === 0 ? ("ready" as const) : ("busy" as const), lastUsedAt: instant(at) },
  }));
  const jobs = Array.from({ length: 10_000 }, (_, at): WaitingJob => {
    const model = models[Math.floor(600 * dice() ** 3)];
    if (!model) throw new Error("600 models");
    const createdAt = instant(1_000_000 - Math.floor(60_000 * dice()));
    return { id: asId<JobId>(`job-${at}`), model: model.id, priority: "normal", createdAt, turn: at % 40 };
  });
  const usual = { maxBatch: 4, slots: 1, perBatchItem: bytes(0), backlog: 16, isPinned: false };
  return {
    ...{ now: instant(1_000_000), jobs, runners: loaded, pools: [], ahead: [], backOffs: new Map() },
    readySince: new Map(loaded.map(({ id }) => [id, { at: instant(0), loadMs: 3_000 }])),
    devices: Array.from({ length: 8 }, (_, at) => ({
      ...{ id: asId<DeviceId>(`cuda:${at}`), kind: "cuda" as const, budget: bytes(72 * GIB) },
    })),
    models: new Map(models.map((model) => [model.id, { ...usual, ...model, worth: dice() }])),
    batchWindow: milliseconds(0),
    lineLimit: milliseconds(900_000),
  };
}

test("decides about 600 models and 10,000 waiting jobs in a few milliseconds", () => {
  const facts = crowded();
  for (let warm = 0; warm < 30; warm++) decide(facts);
  const times = Array.from({ length: 100 }, () => {
    const begun = performance.now();
    decide(facts);
    return performance.now() - begun;
  });
  process.stderr.write(`decide at 600 models and 10,000 jobs: ${quantiles(times).p50.toFixed(2)} ms median\n`);
  expect(decide(facts).length).toBeGreaterThan(20);
  // The aim is 2 ms on an idle machine; this bound is for a busy one.
  expect(quantiles(times).p50).toBeLessThan(20);
});
