// When a model deserves one more runner: its line is longer than loading another one takes.
import type { ModelId } from "../../core/ids.ts";
import { loadIntoRoom, makeRoom, mayLoad } from "./place.ts";
import { hasPlace, type Plan } from "./plan.ts";
import { worthOf, worthOfLast } from "./popularity.ts";

/**
 * One runner of a model on a device is all that helps there, so a further one goes to another device. It may push out
 * others only if they are worth less than it would be as one of several, or than the requests that it takes off the line: what is
 * known of its popularity follows a new favourite's line only slowly.
 */
export function addReplica(model: ModelId, plan: Plan): void {
  const fact = plan.facts.models.get(model);
  const own = plan.of.get(model);
  if (!fact || !own || own.length === 0 || !mayLoad(model, plan)) return;
  if (!own.every((runner) => runner.state === "busy" && !hasPlace(runner, plan))) return;
  const { runMs, loadMs, backlog } = fact;
  if (runMs === undefined || (backlog * runMs) / own.length <= loadMs + runMs) return;
  const limit = Math.max(worthOfLast(fact, own.length + 1), worthOf(1000 / runMs, loadMs));
  if (!loadIntoRoom(model, plan)) makeRoom(model, plan, { limit });
}
