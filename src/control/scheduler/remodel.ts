// Model files were read anew: what was found out of a model as it was is forgotten, and its runners give way where they were made from that.
import { asId, type ModelId } from "../../core/ids.ts";
import type { CatalogChange } from "../catalog/catalog.ts";
import type { CatalogEntry } from "../catalog/catalog-entry.ts";
import { runsOtherwise } from "../catalog/runs-otherwise.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { JobWork } from "../jobs/work.ts";
import type { Ahead } from "./ahead.ts";
import type { BatchKeys } from "./batch-keys.ts";
import type { Experience } from "./experience.ts";
import type { Outdated } from "./outdated.ts";
import type { Preparation } from "./preparation.ts";
import type { ReadAhead } from "./read-ahead.ts";
import type { Reloads } from "./reloads.ts";

type Parts = {
  fleet: Pick<Fleet, "runners" | "forgive">;
  work: Pick<JobWork, "waiting">;
  experience: Pick<Experience, "forget">;
  preparation: Pick<Preparation, "jobs" | "forgetMedia" | "forgetWeights">;
  outdated: Pick<Outdated, "mark">;
  ahead: Pick<Ahead, "renew" | "drop">;
  readAhead: Pick<ReadAhead, "forget">;
  reloads: Pick<Reloads, "forget">;
  batchKeys: Pick<BatchKeys, "clear">;
};

/** What runs ends on the runner that it runs on. */
export function createRemodel(parts: Parts): (change: CatalogChange) => void {
  const { fleet, work, preparation, outdated, ahead, batchKeys } = parts;

  function forget(model: ModelId): void {
    preparation.forgetWeights(model);
    parts.readAhead.forget(model);
    parts.reloads.forget(model);
    parts.experience.forget(model);
    fleet.forgive(model);
    outdated.mark(model, "other");
  }
  function replace({ entry, before }: { entry: CatalogEntry; before: CatalogEntry }): void {
    const model = idOf(entry);
    const isOther = runsOtherwise(before.model, entry.model);
    const isLoaded = fleet.runners().some((runner) => runner.model === model && runner.state !== "stopping");
    if (isOther) forget(model);
    ahead.renew(entry, isOther && isLoaded);
  }

  return ({ added, changed, removed }) => {
    for (const entry of removed) {
      forget(idOf(entry));
      ahead.drop(idOf(entry));
    }
    for (const entry of added) {
      fleet.forgive(idOf(entry));
      ahead.renew(entry, false);
    }
    for (const each of changed) replace(each);
    // Which of their fields hold URLs may be another matter now.
    const models = new Set([...removed, ...changed.map(({ entry }) => entry)].map(idOf));
    for (const id of preparation.jobs()) {
      const waits = work.waiting.get(id);
      if (waits && models.has(waits.model)) preparation.forgetMedia(id);
    }
    batchKeys.clear();
  };
}

const idOf = ({ model }: CatalogEntry) => asId<ModelId>(model.id);
