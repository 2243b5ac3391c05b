// Whether nothing is to be decided but for waiting jobs: most looks come when one has arrived or ended and no more happened. It saves
// gathering all facts.
import type { ModelId } from "../../core/ids.ts";
import type { Instant, Milliseconds } from "../../core/units.ts";
import type { RunnerFact } from "../fleet/events.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { Ahead } from "./ahead.ts";
import { earliest, nextIdle } from "./next-look.ts";
import type { Outdated } from "./outdated.ts";
import type { ReadAhead } from "./read-ahead.ts";
import type { Reloads } from "./reloads.ts";

export type RestSources = {
  fleet: Pick<Fleet, "runners">;
  ahead: Pick<Ahead, "isDone">;
  outdated: Pick<Outdated, "isEmpty">;
  readAhead: Pick<ReadAhead, "isDue">;
  reloads: Pick<Reloads, "isDue" | "next">;
  idleUnload?: Milliseconds;
};

export type Rest = { next: Instant | undefined; runners: readonly RunnerFact[] };

/** No model is to be loaded ahead, renewed, unloaded or read. `next`: when time alone ends this. */
export function restOf(sources: RestSources, now: Instant): Rest | undefined {
  const { fleet, ahead, outdated, readAhead, reloads, idleUnload } = sources;
  if (!outdated.isEmpty() || readAhead.isDue(now) || reloads.isDue(now)) return undefined;
  const runners = fleet.runners();
  if (!ahead.isDone((model) => isLoaded(runners, model))) return undefined;
  const next = nextIdle(runners, idleUnload);
  if (next !== undefined && next <= now) return undefined;
  return { next: earliest(next, reloads.next()), runners };
}

const isLoaded = (runners: readonly RunnerFact[], id: ModelId) => runners.some(({ model }) => model === id);
