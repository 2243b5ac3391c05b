// Whether there is nothing to decide: most looks come after the end of a job that nobody waits behind. It saves gathering all facts.
import type { ModelId } from "../../core/ids.ts";
import type { Instant, Milliseconds } from "../../core/units.ts";
import type { Fleet, RunnerFact } from "../fleet/fleet.ts";
import type { JobWork } from "../jobs/work.ts";
import type { Ahead } from "./ahead.ts";
import { nextIdle } from "./next-look.ts";
import type { Outdated } from "./outdated.ts";
import type { ReadAhead } from "./read-ahead.ts";

export type RestSources = {
  work: Pick<JobWork, "waiting">;
  fleet: Pick<Fleet, "runners">;
  ahead: Pick<Ahead, "isDone">;
  outdated: Pick<Outdated, "isEmpty">;
  readAhead: Pick<ReadAhead, "isDue">;
  idleUnload?: Milliseconds;
  /** Emptied: nobody waits. */
  line: Map<ModelId, Instant>;
};

/** No job waits, no model is to be loaded, renewed, unloaded or read. `next`: when time alone ends this. */
export function restOf(sources: RestSources, now: Instant): { next: Instant | undefined } | undefined {
  const { work, fleet, ahead, outdated, readAhead, idleUnload, line } = sources;
  if (work.waiting.size > 0 || !outdated.isEmpty() || readAhead.isDue(now)) return undefined;
  const runners = fleet.runners();
  if (!ahead.isDone((model) => isLoaded(runners, model))) return undefined;
  const next = nextIdle(runners, idleUnload);
  if (next !== undefined && next <= now) return undefined;
  line.clear();
  return { next };
}

const isLoaded = (runners: readonly RunnerFact[], id: ModelId) => runners.some(({ model }) => model === id);
