// Which models may come back without a job (reload.ts): of those that had to make room the ones whose weights are here.
import { asId, type DeviceId, type ModelId, type RunnerId } from "../../core/ids.ts";
import type { Instant } from "../../core/units.ts";
import type { Model } from "../../engine/model.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { FleetEvent } from "../fleet/events.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { InputMedia } from "../storage/input-media.ts";
import type { KindsOf } from "./ahead.ts";
import type { Experience } from "./experience.ts";
import { createPreparation, type Preparation } from "./preparation.ts";
import { createReloadTurns } from "./reload-turns.ts";
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
  /** The model is another now, or gone: it comes back without a job only once it has had to make room again. */
  forget(model: ModelId): void;
  /** Where they lie; nothing is ever fetched for it. */
  weights: Preparation["weights"];
};

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
  const turns = createReloadTurns();
  let foundAt = 0;

  const isDue = (now: Instant) => isOn && turns.isDue(now);
  const usedAt = () => fleet.runners().reduce((last, { lastUsedAt }) => Math.max(last, lastUsedAt), 0);
  function mayLoad(id: ModelId, kindsOf: KindsOf): boolean {
    const entry = catalog.find(asId<string>(id));
    if (!entry || experience.rate(id) < LEAST_RATE) return false;
    const weights = here.weights(entry, kindsOf(entry));
    if (weights.type === "failed") forget(id);
    return weights.type === "ready";
  }
  function forget(id: ModelId): void {
    turns.forget(id);
    here.forgetWeights(id);
  }

  return {
    isDue,
    next: () => (isOn && turns.models.size > 0 && turns.next() - usedAt() < UNUSED_MS ? turns.next() : undefined),
    facts({ now, runners, kindsOf }) {
      const reloading = turns.reloading();
      if (!isDue(now)) return { reloading };
      if (now - foundAt >= FOUND_MS) {
        for (const id of turns.models) here.forgetWeights(id);
        foundAt = now;
      }
      const loaded = new Set(runners.map(({ model }) => model));
      const resting = fleet.backOffs();
      const models = [...turns.models].filter((id) => !loaded.has(id) && !resting.has(id) && mayLoad(id, kindsOf));
      return { reloading, reload: { models, devices: turns.rested(parts.devices(), now) } };
    },
    decided: (actions, now) =>
      turns.decided(actions, {
        now,
        modelOf: (runner) => (isOn ? fleet.runners().find(({ id }) => id === runner)?.model : undefined),
      }),
    begun({ runner, model, device }) {
      turns.begun(runner, device);
      here.forgetWeights(model);
    },
    record(event, now) {
      if (event.type === "ready") turns.ready(event.runner, { now, loadMs: event.loadMs });
      if (event.type === "gone") turns.gone(event.runner, now);
    },
    weights: here.weights,
    forget,
  };
}
