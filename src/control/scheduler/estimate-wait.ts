// How long a waiting job has still to wait, from what its model took before.
import type { ModelId } from "../../core/ids.ts";
import { type Instant, type Milliseconds, milliseconds } from "../../core/units.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { Experience } from "./experience.ts";

type Seen = { fleet: Pick<Fleet, "runners">; experience: Experience; now: Instant };

/** Undefined before the model ran once. The job in progress counts as half done; other models' claims do not count. */
export function estimateWait(
  { model, position }: { model: ModelId; position: number },
  { fleet, experience, now }: Seen,
): Milliseconds | undefined {
  const { runMs, loadMs = 0 } = experience.times(model);
  if (runMs === undefined) return undefined;
  const own = fleet.runners().filter((runner) => runner.model === model && runner.state !== "stopping");
  const ready = own.filter(({ state }) => state === "ready" || state === "busy");
  const busy = own.filter(({ state }) => state === "busy").length;
  const starting = own.find(({ state }) => state === "starting");
  const untilLoaded = ready.length > 0 ? 0 : loadMs - (starting ? Math.min(loadMs, now - starting.lastUsedAt) : 0);
  return milliseconds(Math.round(untilLoaded + ((position + busy / 2) * runMs) / Math.max(1, ready.length)));
}
