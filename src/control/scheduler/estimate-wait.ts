// How long a waiting job has still to wait, from what its model took before.
import type { ModelId } from "../../core/ids.ts";
import { type Instant, type Milliseconds, milliseconds } from "../../core/units.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { Experience } from "./experience.ts";
import { slotsOf } from "./model-facts.ts";
import { runningIn } from "./plan.ts";

type Seen = {
  fleet: Pick<Fleet, "runners">;
  catalog: Pick<Catalog, "find">;
  experience: Pick<Experience, "times">;
  now: Instant;
};

/** Undefined before the model ran once. The job in progress counts as half done; other models' claims do not count. */
export function estimateWait(
  { model, position }: { model: ModelId; position: number },
  { fleet, catalog, experience, now }: Seen,
): Milliseconds | undefined {
  const { runMs, loadMs = 0 } = experience.times(model);
  if (runMs === undefined) return undefined;
  const own = fleet.runners().filter((runner) => runner.model === model && runner.state !== "stopping");
  const ready = own.filter(({ state }) => state === "ready" || state === "busy");
  const running = own.reduce((sum, runner) => sum + runningIn(runner), 0);
  const entry = catalog.find(model);
  const places = Math.max(1, ready.length) * (entry ? slotsOf(entry.model) : 1);
  const starting = own.find(({ state }) => state === "starting");
  const untilLoaded = ready.length > 0 ? 0 : loadMs - (starting ? Math.min(loadMs, now - starting.lastUsedAt) : 0);
  return milliseconds(Math.round(untilLoaded + ((position + running / 2) * runMs) / places));
}
