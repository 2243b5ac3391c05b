// Models that are loaded without a job: pinned ones always, warm ones once after the start, the most popular first; and
// once whoever is about to have jobs for one (a realtime connection that was opened).
import type { DeviceKind } from "../../core/device.ts";
import { asId, type ModelId } from "../../core/ids.ts";
import type { CatalogEntry } from "../catalog/catalog.ts";
import type { Experience } from "./experience.ts";
import type { Preparation } from "./preparation.ts";
import type { Residency } from "./residency.ts";

/** Kinds of the devices that it would be loaded on now. */
export type KindsOf = (entry: CatalogEntry) => readonly DeviceKind[];

export type Ahead = {
  /** Those whose weights are here and that have no runner, in the order in which they are to be loaded. */
  wanted(kindsOf: KindsOf): ModelId[];
  /** All of them have a runner. */
  isDone(isLoaded: (model: ModelId) => boolean): boolean;
  /** Jobs for it are to come: it is loaded once, like a warm one. Not to be asked for a model that has a runner. */
  ask(entry: CatalogEntry): void;
  /** A model file was read: warm ones are loaded where there is room, and so is one whose runner gives way to another. */
  renew(entry: CatalogEntry, isReplaced: boolean): void;
  /** The model is gone. */
  drop(model: ModelId): void;
  /** It was loaded, or could not be: warm ones are not tried again. */
  tried(model: ModelId): void;
};

type AheadParts = {
  models: readonly CatalogEntry[];
  residency: Residency;
  experience: Experience;
  preparation: Preparation;
};

export function createAhead({ models, residency, experience, preparation }: AheadParts): Ahead {
  const rate = ({ model }: CatalogEntry) => experience.rate(asId<ModelId>(model.id));
  const left = new Map(
    models
      .filter(({ model }) => residency.isWarm(model))
      .toSorted((a, b) => rate(b) - rate(a))
      .map((entry) => [asId<ModelId>(entry.model.id), entry]),
  );
  return {
    wanted: (kindsOf) =>
      [...left].flatMap(([id, entry]) => {
        const weights = preparation.weights(entry, kindsOf(entry));
        if (weights.type === "failed") left.delete(id);
        return weights.type === "ready" ? [id] : [];
      }),
    isDone: (isLoaded) => left.keys().every(isLoaded),
    ask(entry) {
      left.set(asId<ModelId>(entry.model.id), entry);
    },
    renew(entry, isReplaced) {
      const id = asId<ModelId>(entry.model.id);
      left.delete(id);
      if (isReplaced || residency.isWarm(entry.model)) left.set(id, entry);
    },
    drop: (model) => void left.delete(model),
    tried(model) {
      const entry = left.get(model);
      if (entry && !residency.isPinned(entry.model)) left.delete(model);
    },
  };
}
