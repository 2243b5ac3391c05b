// The usual case of decide(), without gathering what only the others need: every waiting job is of a model with one runner, so that there is
// nobody to make room or hold a place for.
import type { JobId, ModelId } from "../../core/ids.ts";
import type { Instant } from "../../core/units.ts";
import type { RunnerFact } from "../fleet/events.ts";
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

export type ServedAtOnce = {
  actions: Action[];
  /** Some found no free place: `decide` may give them a further runner. */
  isCrowded: boolean;
};

/** What `decide` would say, but for further runners; undefined where this does not tell. */
export function serveAtOnce({ now, waiting, runners, slotsOf }: AtOnce): ServedAtOnce | undefined {
  const deadline = waiting.nextDeadline();
  if (deadline !== undefined && deadline <= now) return undefined;
  const actions: Action[] = [];
  let isCrowded = false;
  for (const model of waiting.models()) {
    const runner = onlyRunner(model, runners);
    const free = runner && freePlaces(runner, slotsOf(model));
    if (!runner || free === undefined) return undefined;
    const count = waiting.count(model);
    const wanted = Math.max(0, Math.min(count, free));
    if (wanted < count) isCrowded = true;
    const jobs = wanted === 0 ? [] : waiting.heads(model, wanted);
    // Some may not start yet.
    if (jobs.length < wanted) return undefined;
    for (const { id } of jobs) actions.push(run(runner, id));
  }
  return { actions, isCrowded };
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
