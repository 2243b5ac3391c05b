// The operator's model files are read anew while the box serves: look-ups, queue, runners and downloads follow in one turn.
import type { Device } from "../core/device.ts";
import type { Log } from "../core/log.ts";
import type { CatalogChange, ReloadableCatalog } from "./catalog/catalog.ts";
import { vainParts } from "./catalog/vain-parts.ts";
import type { WrongFile } from "./catalog/wrong-file.ts";
import type { JobWork } from "./jobs/work.ts";
import type { Scheduler } from "./scheduler/scheduler.ts";
import type { Settings } from "./settings.ts";
import { operatorModels } from "./too-large.ts";
import type { Supply } from "./weights/supply.ts";

/** Ids of models, and the files that are wrong. */
export type Reloaded = { added: string[]; changed: string[]; removed: string[]; wrong: readonly WrongFile[] };

export type ReloadParts = {
  catalog: ReloadableCatalog;
  work: Pick<JobWork, "remodel">;
  scheduler: Pick<Scheduler, "remodel">;
  supply: Pick<Supply, "fetchAhead">;
  settings: Settings;
  devices: readonly Device[];
  log: Log;
};

/** Throws `misconfigured` where the files cannot be listed, and nothing is changed then. */
export function createReloadModels({
  catalog,
  work,
  scheduler,
  supply,
  settings,
  devices,
  log,
}: ReloadParts): () => Reloaded {
  const complaints = (): string[] => [
    ...catalog.wrong().map(({ reason }) => reason),
    ...vainParts({ ...settings, catalog }).map(({ what, remedy }) => `${what}: ${remedy}`),
  ];
  let told = new Set(complaints());
  return () => {
    const change = catalog.reload();
    const reloaded = idsOf(change);
    // First what cannot fail: should the queue not be written, it is brought up to date later, as after any write that was refused.
    scheduler.remodel(change);
    work.remodel(new Set([...reloaded.changed, ...reloaded.removed]));
    const { added, changed, removed } = reloaded;
    if (added.length + changed.length + removed.length > 0)
      log.info("model files read anew", { added, changed, removed });
    const now = complaints();
    for (const complaint of now)
      if (!told.has(complaint)) log.warn("of the model files, something is wrong", { complaint });
    told = new Set(now);
    const fresh = new Set([...change.added, ...change.changed.map(({ entry }) => entry)].map(({ model }) => model));
    supply.fetchAhead(operatorModels({ catalog, settings, devices }).filter((model) => fresh.has(model)));
    return reloaded;
  };
}

const idsOf = ({ added, changed, removed, wrong }: CatalogChange): Reloaded => ({
  added: added.map(({ model }) => model.id),
  changed: changed.map(({ entry }) => entry.model.id),
  removed: removed.map(({ model }) => model.id),
  wrong,
});
