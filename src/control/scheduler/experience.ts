// What is known of models from having run them: popularity, memory, loading and running times. Kept over restarts.
import type { Clock, Timers } from "../../core/clock.ts";
import type { DeviceId, ModelId } from "../../core/ids.ts";
import { type Bytes, bytes, milliseconds } from "../../core/units.ts";
import type { ExperienceStore, Measure } from "./experience-store.ts";
import { createPopularities } from "./popularities.ts";
import type { Popularity } from "./popularity.ts";

export type Experience = {
  /** Jobs of the model came to run. */
  asked(model: ModelId, jobs: number): void;
  /** The most counts: a working model holds more than one that was just loaded. */
  held(model: ModelId, device: DeviceId, memory: Bytes): void;
  loaded(model: ModelId, device: DeviceId, loadMs: number): void;
  ran(model: ModelId, device: DeviceId, runMs: number): void;
  /** Requests a second that are to be expected. */
  rate(model: ModelId): number;
  /** By device. */
  memory(model: ModelId): ReadonlyMap<DeviceId, Bytes>;
  /** The device that takes longest; undefined before it was seen. */
  times(model: ModelId): { loadMs?: number; runMs?: number };
  /** The model is another now: what it takes is not known. */
  forget(model: ModelId): void;
  start(): void;
  stop(): void;
};

export type ExperienceParts = { store: ExperienceStore; clock: Clock; timers: Timers };

/** Losing the last half minute of counts does no harm. */
const SAVE_PERIOD = milliseconds(30_000);
/** Weight of the newest of many times. */
const NEWEST = 0.2;

type OnDevices = Map<DeviceId, Measure>;

export function createExperience({ store, clock, timers }: ExperienceParts): Experience {
  const popularities = createPopularities(store.popularity());
  const measures = new Map<ModelId, OnDevices>();
  for (const { model, device, ...measure } of store.measures()) on(model).set(device, measure);
  const changed = { popularity: new Set<ModelId>(), measures: new Set<ModelId>(), forgotten: new Set<ModelId>() };
  let callOff = () => {};

  function on(model: ModelId): OnDevices {
    const known = measures.get(model);
    if (known) return known;
    const made: OnDevices = new Map();
    measures.set(model, made);
    return made;
  }
  const note = (model: ModelId, device: DeviceId, change: (known: Measure) => Measure) => {
    const known = on(model).get(device) ?? {};
    on(model).set(device, { ...known, ...change(known) });
    changed.measures.add(model);
  };
  const save = () => {
    if (Object.values(changed).every(({ size }) => size === 0)) return;
    store.save({
      popularity: [...changed.popularity].flatMap((model) => {
        const value = popularities.of(model);
        return value ? [[model, value] as [ModelId, Popularity]] : [];
      }),
      measures: [...changed.measures].flatMap((model) =>
        [...on(model)].map(([device, measure]) => ({ model, device, ...measure })),
      ),
      forgotten: [...changed.forgotten],
    });
    for (const models of Object.values(changed)) models.clear();
  };
  const plan = () => {
    callOff = timers.after(SAVE_PERIOD, () => {
      save();
      plan();
    });
  };

  return {
    asked(model, jobs) {
      for (let each = 0; each < jobs; each++) popularities.asked(model, clock.now());
      changed.popularity.add(model);
    },
    held: (model, device, memory) => note(model, device, (known) => ({ memory: Math.max(memory, known.memory ?? 0) })),
    loaded: (model, device, loadMs) => note(model, device, (known) => ({ loadMs: blend(known.loadMs, loadMs) })),
    ran: (model, device, runMs) => note(model, device, (known) => ({ runMs: blend(known.runMs, runMs) })),
    rate: (model) => popularities.rate(model, clock.now()),
    memory: (model) =>
      new Map(
        [...(measures.get(model) ?? [])].flatMap(([device, { memory }]) =>
          memory === undefined ? [] : [[device, bytes(memory)] as [DeviceId, Bytes]],
        ),
      ),
    times(model) {
      const seen = [...(measures.get(model)?.values() ?? [])];
      const loads = seen.flatMap(({ loadMs }) => loadMs ?? []);
      const runs = seen.flatMap(({ runMs }) => runMs ?? []);
      return {
        ...(loads.length > 0 && { loadMs: Math.max(...loads) }),
        ...(runs.length > 0 && { runMs: Math.max(...runs) }),
      };
    },
    forget(model) {
      measures.delete(model);
      changed.forgotten.add(model);
    },
    start: plan,
    stop() {
      callOff();
      save();
    },
  };
}

const blend = (known: number | undefined, newest: number) =>
  known === undefined ? newest : known + NEWEST * (newest - known);
