// Plays traffic through the real decide(), with runners that take their time in simulated milliseconds.
import type { RunnerFact } from "../../src/control/fleet/events.ts";
import { decide } from "../../src/control/scheduler/decide.ts";
import { nextLook } from "../../src/control/scheduler/next-look.ts";
import { createReloadTurns } from "../../src/control/scheduler/reload-turns.ts";
import type { Action, Facts, ModelFact, WaitingJob } from "../../src/control/scheduler/situation.ts";
import { asId, type DeviceId, type ModelId, type RunnerId } from "../../src/core/ids.ts";
import { type Bytes, bytes, instant, milliseconds } from "../../src/core/units.ts";
import type { Policy } from "./policies.ts";
import { type Arrival, FILLING, type SimulatedModel } from "./traffic.ts";

export type Box = {
  gpus: number;
  budget: Bytes;
  /** Whether a model may have several runners. Without them all policies differ in what they keep and in nothing else. */
  hasReplicas?: boolean;
};

export type Outcome = {
  policy: string;
  /** Share of jobs that waited for their model to load; the first quarter of all, which fills the empty box, left out. */
  coldStarts: number;
  loads: number;
  /** Of them, those without a job. */
  reloads: number;
  /** Of a job, on average: what it waited for its model to load. */
  coldMs: number;
  waitMs: { p50: number; p99: number };
  /** The same of jobs of the largest tenth of the models, which a policy may let starve for the many small ones. */
  ofLargest: { coldStarts: number; waitMs: { p50: number; p99: number } };
  decideMs: { p50: number; p99: number };
};

/** Ending a process and getting its memory back. */
const STOP_MS = 500;

type Event = { at: number; happen: () => void };

export function simulate(given: { policy: Policy; models: SimulatedModel[]; traffic: Arrival[]; box: Box }): Outcome {
  const world = createWorld(given);
  for (let next = world.next(); next; next = world.next()) world.step(next);
  return world.outcome();
}

function createWorld({ policy, models, traffic, box }: Parameters<typeof simulate>[0]) {
  const events = createHeap();
  const waiting = new Map<string, WaitingJob & { index: number }>();
  const runners = new Map<RunnerId, RunnerFact & { index: number }>();
  const readySince = new Map<RunnerId, { at: Facts["now"]; loadMs: number }>();
  const devices = Array.from({ length: box.gpus }, (_, at) => ({
    id: asId<DeviceId>(`cuda:${at}`),
    kind: "cuda" as const,
    budget: box.budget,
  }));
  const indexOf = new Map(models.map(({ id }, at) => [id, at]));
  const backlog = new Map<ModelId, number>();
  const waits: number[] = [];
  const large = models.map(({ footprint }) => footprint).toSorted((a, b) => b - a)[models.length / 10] ?? 0;
  const largest = { waits: [] as number[], cold: 0 };
  const decideMs: number[] = [];
  let [cold, coldMs, loads, names, arrived, started, reloads] = [0, 0, 0, 0, 0, 0, 0];
  let plannedLook = Number.POSITIVE_INFINITY;
  let now = 0;

  const modelOf = (id: ModelId) => {
    const model = models[indexOf.get(id) ?? -1];
    if (!model) throw new Error(`no model ${id}`);
    return model;
  };
  const factOf = ({ id, footprint, loadMs, runMs }: SimulatedModel, index: number): [ModelId, ModelFact] => [
    id,
    {
      ...{ footprint, loadMs, maxBatch: 1, slots: 1, perBatchItem: bytes(0), isPinned: false },
      // Without it the policy does not know whether a further runner would help, and makes none.
      ...(box.hasReplicas && { runMs }),
      // Worked out when asked for: most looks make no room, and worth of 300 models takes longer than they do.
      get worth() {
        return policy.worth(index, now);
      },
      get underWay() {
        return policy.rate && (policy.rate(index, now) * runMs) / 1000;
      },
      get backlog() {
        return backlog.get(id) ?? 0;
      },
    },
  ];
  const modelFacts = new Map(models.map(factOf));
  const turns = createReloadTurns();
  const mayReload = (): Facts["reload"] => {
    if (!policy.reloads || !turns.isDue(instant(now))) return undefined;
    const loaded = new Set([...runners.values()].map(({ model }) => model));
    return {
      models: [...turns.models].filter((model) => !loaded.has(model)),
      devices: turns.rested(devices, instant(now)),
    };
  };
  const facts = (): Facts => {
    const reload = mayReload();
    const jobs = [...waiting.values()];
    return {
      ...{ now: instant(now), jobs, runners: [...runners.values()], readySince, devices },
      ...{ pools: [], ahead: [], backOffs: new Map() },
      models: modelFacts,
      ...(reload && { reload }),
      reloading: turns.reloading(),
      batchWindow: milliseconds(0),
      lineLimit: milliseconds(3_600_000),
    };
  };
  const act = (action: Action) => {
    if (action.type === "load") {
      const { footprint, loadMs } = modelOf(action.model);
      const id = asId<RunnerId>(`r-${names++}`);
      const index = indexOf.get(action.model) ?? 0;
      const lastUsedAt = instant(now);
      runners.set(id, {
        ...{ id, model: action.model, device: action.device, index, lastUsedAt },
        ...{ state: "starting", memory: footprint },
      });
      loads++;
      if (action.isReload) {
        reloads++;
        turns.begun(id, action.device);
      }
      events.add(now + loadMs, () => {
        if (runners.get(id)?.state !== "starting") return;
        turns.ready(id, { now: instant(now), loadMs });
        change(id, "ready");
        readySince.set(id, { at: instant(now), loadMs });
      });
    } else if (action.type === "evict") {
      change(action.runner, "stopping");
      events.add(now + STOP_MS, () => {
        turns.gone(action.runner, instant(now));
        runners.delete(action.runner);
        readySince.delete(action.runner);
      });
    } else if (action.type === "run") {
      change(action.runner, "busy");
      for (const id of action.jobs) start(id, action.runner);
      const runner = runners.get(action.runner);
      events.add(now + (runner ? modelOf(runner.model).runMs : 0), () => change(action.runner, "ready"));
    }
  };
  const change = (id: RunnerId, state: RunnerFact["state"]) => {
    const runner = runners.get(id);
    if (runner) runners.set(id, { ...runner, state, lastUsedAt: instant(now) });
  };
  const start = (id: string, runner: RunnerId) => {
    const job = waiting.get(id);
    if (!job) return;
    waiting.delete(id);
    backlog.set(job.model, (backlog.get(job.model) ?? 1) - 1);
    if (++started <= FILLING * traffic.length) return;
    const isLarge = modelOf(job.model).footprint >= large;
    waits.push(now - job.createdAt);
    if (isLarge) largest.waits.push(now - job.createdAt);
    const ready = readySince.get(runner);
    if (!ready || ready.at <= job.createdAt) return;
    cold++;
    if (isLarge) largest.cold++;
    coldMs += Math.min(ready.loadMs, ready.at - job.createdAt);
  };
  const look = () => {
    const picture = facts();
    const begun = performance.now();
    const actions = decide(picture);
    decideMs.push(performance.now() - begun);
    for (const action of actions) act(action);
    const check = turns.next();
    turns.decided(actions, { now: instant(now), modelOf: (runner) => runners.get(runner)?.model });
    if (policy.reloads && turns.next() !== check && arrived <= traffic.length) events.add(turns.next(), () => {});
    const again = nextLook(picture, undefined);
    if (again !== undefined && waiting.size > 0 && (again < plannedLook || plannedLook <= now)) {
      plannedLook = again;
      events.add(again, () => {});
    }
  };
  const arrive = ({ at, model: index, key }: Arrival) => {
    const model = models[index];
    if (!model) return;
    policy.asked(index, at);
    backlog.set(model.id, (backlog.get(model.id) ?? 0) + 1);
    const id = asId<WaitingJob["id"]>(`${at}-${key}`);
    waiting.set(id, { id, model: model.id, priority: "normal", createdAt: instant(at), turn: 0, index });
  };
  const plan = () => {
    const next = traffic[arrived++];
    if (next) {
      events.add(next.at, () => {
        arrive(next);
        plan();
      });
    }
  };
  plan();
  return {
    next: () => events.take(),
    step({ at, happen }: Event) {
      now = at;
      happen();
      look();
    },
    outcome: (): Outcome => ({
      ...{ policy: policy.name, coldStarts: cold / waits.length, coldMs: coldMs / waits.length, loads, reloads },
      waitMs: quantiles(waits),
      ofLargest: { coldStarts: largest.cold / largest.waits.length, waitMs: quantiles(largest.waits) },
      decideMs: quantiles(decideMs),
    }),
  };
}

export function quantiles(values: number[]) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}

/** The earliest event first. */
function createHeap() {
  const heap: Event[] = [];
  const less = (a: number, b: number) => (heap[a]?.at ?? 0) < (heap[b]?.at ?? 0);
  const swap = (a: number, b: number) => {
    const [first, second] = [heap[a], heap[b]];
    if (!first || !second) return;
    heap[a] = second;
    heap[b] = first;
  };
  return {
    add(at: number, happen: () => void) {
      heap.push({ at, happen });
      for (let child = heap.length - 1; child > 0; ) {
        const parent = (child - 1) >> 1;
        if (!less(child, parent)) break;
        swap(child, parent);
        child = parent;
      }
    },
    take(): Event | undefined {
      const [first] = heap;
      const last = heap.pop();
      if (!last || heap.length === 0) return first;
      heap[0] = last;
      for (let parent = 0; ; ) {
        let least = parent;
        for (const child of [2 * parent + 1, 2 * parent + 2])
          if (child < heap.length && less(child, least)) least = child;
        if (least === parent) return first;
        swap(least, parent);
        parent = least;
      }
    },
  };
}
