// The updates of a box, from its settings; the server's share its memory and its runners, a command's have it for themselves.
import { join } from "node:path";
import type { Clock, Timers } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { Database } from "../database/open.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { installedCuda } from "../runtimes/installed.ts";
import type { Settings } from "../settings.ts";
import type { VariantsHere } from "../variants-here.ts";
import { hubAccess, openHub, pullLimits } from "../weights/access.ts";
import { tryWeights } from "./try-weights.ts";
import { createUpdateStore } from "./update-store.ts";
import { createUpdates, type UpdateParts, type Updates } from "./updates.ts";
import { watchFirstLoads } from "./watch-first-load.ts";

type Box = {
  settings: Settings;
  catalog: Catalog;
  database: Database;
  clock: Clock;
  timers: Timers;
  log: Log;
  /** Of the server's memory and runners. */
  scheduler: { hold: UpdateParts["hold"]; renew: UpdateParts["onInstalled"] };
  /** The server's. */
  fleet?: Pick<Fleet, "subscribe">;
  variantsOf: VariantsHere;
} & Partial<Pick<UpdateParts, "limits">>;

export function openUpdates({ settings, catalog, variantsOf, database, clock, timers, log, ...box }: Box): Updates {
  const { data, threads, hub, weights } = settings;
  const access = hubAccess(settings);
  const trials = { runtime: join(data, "runtime"), libraries: installedCuda(data), threads, log, clock, timers };
  return createUpdates({
    ...{ catalog, data, access, variantsOf, clock, timers, log },
    limits: box.limits ?? pullLimits(settings),
    hub: openHub(access).hub,
    store: createUpdateStore(database),
    track: weights.track,
    everyMs: hub.offline ? 0 : weights.updateHours * 60 * 60 * 1000,
    hold: box.scheduler.hold,
    tryOut: (trial) => tryWeights({ ...trial, fleet: trials, scratch: join(data, "runtime") }),
    onInstalled: box.scheduler.renew,
    firstLoads: box.fleet && watchFirstLoads(box.fleet),
  });
}
