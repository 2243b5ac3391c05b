// Which models had to make room and may come back without a job (reload.ts): those whose weights are here, and only so often.
import { asId, type DeviceId, type ModelId, type RunnerId } from "../../core/ids.ts";
import { type Instant, instant } from "../../core/units.ts";
import type { Model } from "../../engine/model.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { Fleet, FleetEvent } from "../fleet/fleet.ts";
import type { InputMedia } from "../storage/input-media.ts";
import type { KindsOf } from "./ahead.ts";
import type { Experience } from "./experience.ts";
import { createPreparation, type Preparation } from "./preparation.ts";
import type { Action, DeviceFact, Facts } from "./situation.ts";

export type Reloads = {
  isDue(now: Instant): boolean;
  /** When that is next, for no other reason than the time; undefined while nobody uses the box, so that ranks stay what they are. */
  next(): Instant | undefined;
  facts(known: { now: Instant; runners: Facts["runners"]; kindsOf: KindsOf }): Pick<Facts, "reload" | "reloading">;
  /** Of one look. */
  decided(actions: readonly Action[], now: Instant): void;
  begun(order: { runner: RunnerId; model: ModelId; device: DeviceId }): void;
  record(event: FleetEvent, now: Instant): void;
  /** Where they lie; nothing is ever fetched for it. */
  weights: Preparation["weights"];
};

export const RELOAD_CHECK_MS = 10_000;
/** A device rests for so many times what the load took: at most a fifth of its time goes into this. */
export const REST_LOADS = 4;
/** What is not asked for once an hour waits for its next request. */
const LEAST_RATE = 1 / 3600;
/** Where weights lie is looked up anew after this: they may be removed. */
const FOUND_MS = 600_000;
const UNUSED_MS = 600_000;

export type ReloadParts = {
  isOn: boolean;
  /** Throws where weights are not on this machine. */
  weightsHere: (variant: Model) => Promise<string>;
  media: InputMedia;
  catalog: Catalog;
  fleet: Pick<Fleet, "runners" | "backOffs">;
  experience: Pick<Experience, "rate">;
  devices: () => readonly DeviceFact[];
  onSettled: () => void;
};

export function createReloads(parts: ReloadParts): Reloads {
  const { isOn, weightsHere, catalog, fleet, experience, media, onSettled } = parts;
  const here = createPreparation({ resolveWeights: weightsHere, media, onSettled });
  const hadToGo = new Set<ModelId>();
  const starting = new Map<RunnerId, DeviceId>();
  /** Those that end so that there is room. */
  const making = new Set<RunnerId>();
  const restUntil = new Map<DeviceId, number>();
  let [nextAt, foundAt] = [0, 0];

  const isDue = (now: Instant) => isOn && hadToGo.size > 0 && now >= nextAt;
  const usedAt = () => fleet.runners().reduce((last, { lastUsedAt }) => Math.max(last, lastUsedAt), 0);
  function mayLoad(id: ModelId, kindsOf: KindsOf): boolean {
    const entry = catalog.find(asId<string>(id));
    if (!entry || experience.rate(id) < LEAST_RATE) return false;
    const weights = here.weights(entry, kindsOf(entry));
    if (weights.type === "failed") forget(id);
    return weights.type === "ready";
  }
  function forget(id: ModelId): void {
    hadToGo.delete(id);
    here.forgetWeights(id);
  }

  return {
    isDue,
    next: () => (isOn && hadToGo.size > 0 && nextAt - usedAt() < UNUSED_MS ? instant(nextAt) : undefined),
    facts({ now, runners, kindsOf }) {
      const reloading = new Set(starting.keys());
      if (!isDue(now)) return { reloading };
      if (now - foundAt >= FOUND_MS) {
        for (const id of hadToGo) here.forgetWeights(id);
        foundAt = now;
      }
      const loaded = new Set(runners.map(({ model }) => model));
      const resting = fleet.backOffs();
      const models = [...hadToGo].filter((id) => !loaded.has(id) && !resting.has(id) && mayLoad(id, kindsOf));
      const devices = parts.devices().flatMap(({ id }) => ((restUntil.get(id) ?? 0) <= now ? [id] : []));
      return { reloading, reload: { models, devices: new Set(devices) } };
    },
    decided(actions, now) {
      for (const action of actions) {
        const model = action.type === "evict" && fleet.runners().find(({ id }) => id === action.runner)?.model;
        if (isOn && model) hadToGo.add(model);
        if (action.type === "evict" && action.isReload) making.add(action.runner);
      }
      if (now >= nextAt) nextAt = now + RELOAD_CHECK_MS;
    },
    begun({ runner, model, device }) {
      starting.set(runner, device);
      here.forgetWeights(model);
    },
    record(event, now) {
      if (event.type !== "ready" && event.type !== "gone") return;
      // There is the room.
      if (event.type === "gone" && making.delete(event.runner) && making.size === 0) nextAt = now;
      const device = starting.get(event.runner);
      starting.delete(event.runner);
      if (device !== undefined && event.type === "ready") restUntil.set(device, now + REST_LOADS * event.loadMs);
    },
    weights: here.weights,
  };
}
