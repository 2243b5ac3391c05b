// The usual case of decide(), without gathering what only the others need: every waiting job has a free place in the one runner of
// its model, so that there is nobody to load a model, make room or hold a place for.
import type { JobId, ModelId } from "../../core/ids.ts";
import type { Instant } from "../../core/units.ts";
import type { RunnerFact } from "../fleet/fleet.ts";
import { runningIn } from "./plan.ts";
import type { Action, WaitingJob } from "./situation.ts";

export type AtOnce = {
  now: Instant;
  waiting: {
    models(): ModelId[];
    count(model: ModelId): number;
    heads(model: ModelId, limit: number): Pick<WaitingJob, "id">[];
    nextDeadline(): Instant | undefined;
  };
  runners: readonly RunnerFact[];
  /** How many jobs its runner takes that come at different times; undefined where more than that counts: pools, batches, media, memory. */
  slotsOf(model: ModelId): number | undefined;
};

/** What decide() would say; undefined where this does not tell. */
export function serveAtOnce({ now, waiting, runners, slotsOf }: AtOnce): Action[] | undefined {
  const deadline = waiting.nextDeadline();
  if (deadline !== undefined && deadline <= now) return undefined;
  const actions: Action[] = [];
  for (const model of waiting.models()) {
    const count = waiting.count(model);
    const runner = onlyRunner(model, runners);
    const free = runner && freePlaces(runner, slotsOf(model));
    if (!runner || free === undefined || count > free) return undefined;
    const jobs = waiting.heads(model, count);
    // Some may not start yet.
    if (jobs.length < count) return undefined;
    for (const { id } of jobs) actions.push(run(runner, id));
  }
  return actions;
}

function onlyRunner(model: ModelId, runners: readonly RunnerFact[]): RunnerFact | undefined {
  let only: RunnerFact | undefined;
  for (const runner of runners) {
    if (runner.model !== model) continue;
    if (only) return undefined;
    only = runner;
  }
  return only;
}

function freePlaces(runner: RunnerFact, slots: number | undefined): number | undefined {
  if (slots === undefined || (runner.state !== "ready" && runner.state !== "busy")) return undefined;
  return slots - runningIn(runner);
}

const run = ({ id }: RunnerFact, job: JobId): Action => ({ type: "run", runner: id, jobs: [job] });
