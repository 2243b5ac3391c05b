// Runners whose weights are no longer the model's give way to new ones: the old serve until a new one is ready, or, where
// there is no room for both, until they have no work. Those whose model is another now get no further job.
import type { RunnerFact } from "../fleet/events.ts";
import { needOn } from "./fit.ts";
import { mayLoad } from "./place.ts";
import { evict, freeOn, load, type Plan } from "./plan.ts";

/** Before jobs are given out: runners that go get none. */
export function renew(plan: Plan): void {
  const { outdated } = plan.facts;
  if (!outdated || outdated.runners.size === 0) return;
  for (const runner of plan.facts.runners) {
    if (!outdated.runners.has(runner.id) || runner.state === "stopping") continue;
    const isOther = outdated.others?.has(runner.id) ?? false;
    if (runner.state === "starting" && !isOther) continue;
    const fresh = plan.of.get(runner.model)?.filter(({ id }) => !outdated.runners.has(id)) ?? [];
    if (fresh.some(isLoaded)) retire(runner, plan);
    else if (outdated.renewable.has(runner.model) && mayLoad(runner.model, plan)) replace(runner, plan);
    if (isOther && !plan.yielding.has(runner.id)) retire(runner, plan);
  }
}

const isLoaded = ({ state }: RunnerFact) => state === "ready" || state === "busy";

function replace(runner: RunnerFact, plan: Plan): void {
  const device = plan.facts.devices.find(({ id }) => id === runner.device);
  if (device && !device.isLost && freeOn(plan, device.id) >= needOn(runner.model, device.id, plan.facts))
    load(plan, runner.model, device);
  else retire(runner, plan);
}

function retire(runner: RunnerFact, plan: Plan): void {
  plan.yielding.add(runner.id);
  if (runner.state !== "busy") evict(plan, runner);
}
