// Carries out workflows: every node as soon as those before it are done, branches side by side, on after a restart.
import type { Timers } from "../../core/clock.ts";
import { type Failure, ForecourtError } from "../../core/errors.ts";
import type { JobId } from "../../core/ids.ts";
import type { Job } from "../../core/job.ts";
import type { Log } from "../../core/log.ts";
import { milliseconds } from "../../core/units.ts";
import type { CompositeJobs } from "../jobs/composite.ts";
import type { Jobs } from "../jobs/jobs.ts";
import type { JobWork } from "../jobs/work.ts";
import { predecessors } from "./check.ts";
import { type Definition, EXECUTE } from "./definition.ts";
import type { NodeOptions } from "./node-options.ts";
import { carryOut, failureOfNode, fieldsOf, lookIn, type NodeParts } from "./nodes.ts";
import { INPUT, resolved } from "./references.ts";
import type { WorkflowStore } from "./workflow-store.ts";

/** What a run tells of itself, as partial values of its job. */
export type WorkflowEvent =
  | { type: "submit"; node_id: string; app_id: string; request_id: JobId }
  | { type: "completion"; node_id: string; app_id?: string; output: unknown };

export type Conductor = {
  /** From its beginning, or from where a restart cut it short. */
  conduct(job: Job, begun: { definition: Definition; options: NodeOptions }): void;
  readonly size: number;
  /** Takes up what ran when the server ended. */
  start(): void;
  /** Runs stay as they are on disk. */
  stop(): Promise<void>;
};

export type ConductorParts = Omit<NodeParts, "jobs"> & {
  store: WorkflowStore;
  jobs: Jobs;
  composites: CompositeJobs;
  work: Pick<JobWork, "finish" | "fail" | "partial" | "progress" | "log" | "subscribe">;
  timers: Timers;
  log: Log;
};

type Run = {
  job: Job;
  definition: Definition;
  options: NodeOptions;
  cancelled: AbortController;
  open: Map<string, JobId | undefined>;
};

/** After the database refused a write: how long until runs are taken up again. */
const MEND_DELAY = milliseconds(2_000);

export function createConductor(parts: ConductorParts): Conductor {
  const { jobs, work, composites, store, timers, log } = parts;
  const runs = new Map<JobId, { run: Run; done: Promise<void> }>();
  const stopping = new AbortController();
  let unsubscribe = () => {};

  const begin = (job: Job, begun: Pick<Run, "definition" | "options">, isCancelled: boolean) => {
    const run: Run = { job, ...begun, cancelled: new AbortController(), open: new Map() };
    if (isCancelled) run.cancelled.abort();
    const done = perform(parts, run, stopping.signal)
      .catch((error) => log.error("a workflow could not be carried out", { requestId: job.id, error: String(error) }))
      .finally(() => runs.delete(job.id));
    runs.set(job.id, { run, done });
  };
  const takeUp = () => {
    if (stopping.signal.aborted) return;
    for (const { job, isCancelled } of composites.takeUp()) {
      const begun = store.begun(job.id);
      if (begun) begin(job, begun, isCancelled);
      else work.fail(job.id, GONE);
    }
  };
  const cancel = (id: JobId) => {
    const run = runs.get(id)?.run;
    if (!run) return;
    run.cancelled.abort();
    for (const job of run.open.values()) if (job !== undefined) jobs.abandon(job);
  };

  return {
    conduct: (job, begun) => begin(job, begun, false),
    get size() {
      return runs.size;
    },
    start() {
      unsubscribe = work.subscribe((note) => {
        if (note.type === "cancel") cancel(note.id);
        if (note.type === "lost") timers.after(MEND_DELAY, takeUp);
      });
      takeUp();
    },
    async stop() {
      unsubscribe();
      stopping.abort();
      await Promise.all([...runs.values()].map(({ done }) => done));
    },
  };
}

const GONE: Failure = { code: "internal", message: "What this workflow was to do is not on disk." };
const CANCELLED: Failure = { code: "client_cancelled", message: "The request was cancelled." };

type End = { id: string } & ({ output: unknown } | { thrown: unknown });

/** Resolves when the run's end is written, or nothing is to be done because the server stops. */
async function perform(parts: ConductorParts, run: Run, stop: AbortSignal): Promise<void> {
  const { work, jobs } = parts;
  const { job, definition, cancelled } = run;
  const values = new Map<string, unknown>([[INPUT, inputOf(run)]]);
  const under = new Map<string, Promise<End>>();
  let failure: Failure | undefined;
  for (;;) {
    if (!failure && !cancelled.signal.aborted)
      for (const id of startable(definition, values, under)) under.set(id, start(parts, run, { id, values, stop }));
    if (under.size === 0) break;
    const end = await Promise.race(under.values());
    if (stop.aborted) return;
    under.delete(end.id);
    run.open.delete(end.id);
    if ("output" in end) complete(parts, run, { values, ...end });
    else if (!failure) {
      failure = failureOfNode(end.thrown, end.id);
      // The others' work would be in vain.
      for (const open of run.open.values()) if (open !== undefined) jobs.abandon(open);
    }
  }
  if (cancelled.signal.aborted) work.fail(job.id, CANCELLED);
  else if (failure) work.fail(job.id, failure);
  else work.finish(job.id, { output: outputOf(definition, values), units: { requests: 0 }, device: "workflow" });
}

/** What an `input` node holds are defaults. */
const inputOf = ({ job, definition }: Run) => {
  const node = definition.nodes[INPUT];
  const given = job.model === EXECUTE ? job.input.input : job.input;
  return { ...node?.input, ...(typeof given === "object" ? given : {}) };
};

const startable = ({ nodes }: Definition, values: ReadonlyMap<string, unknown>, under: ReadonlyMap<string, unknown>) =>
  Object.keys(nodes).filter(
    (id) => !values.has(id) && !under.has(id) && predecessors({ nodes }, id).every((each) => values.has(each)),
  );

type Starting = { id: string; values: ReadonlyMap<string, unknown>; stop: AbortSignal };

async function start(parts: ConductorParts, run: Run, { id, values, stop }: Starting): Promise<End> {
  const { job, definition, options } = run;
  const node = definition.nodes[id];
  if (!node) return { id, thrown: new ForecourtError("not_found", `There is no node ${id}.`) };
  const onSubmitted = (request: JobId) => {
    run.open.set(id, request);
    if (run.cancelled.signal.aborted) parts.jobs.abandon(request);
    parts.work.log(job.id, `${id}: ${node.app} as request ${request}`);
    tell(parts, job, { type: "submit", node_id: id, app_id: node.app ?? "", request_id: request });
  };
  try {
    return { id, output: await carryOut(parts, { run: job, id, node, options, values, signal: stop, onSubmitted }) };
  } catch (thrown) {
    return { id, thrown };
  }
}

function complete(
  parts: ConductorParts,
  { job, definition }: Run,
  { id, output, values }: { id: string; output: unknown; values: Map<string, unknown> },
) {
  values.set(id, output);
  const { type, app } = definition.nodes[id] ?? {};
  const nodes = Object.keys(definition.nodes);
  parts.work.progress(job.id, { at: nodes.filter((each) => values.has(each)).length, of: nodes.length });
  if (type !== "input")
    tell(parts, job, { type: "completion", node_id: id, ...(app !== undefined && { app_id: app }), output });
}

const tell = ({ work }: ConductorParts, { id }: Job, event: WorkflowEvent) => work.partial(id, { value: event });

/** What it says that it gives; else what its display nodes show; else what its last nodes made. */
function outputOf(definition: Definition, values: ReadonlyMap<string, unknown>): unknown {
  if (Object.keys(definition.output).length > 0) return resolved(definition.output, lookIn(values));
  const nodes = Object.entries(definition.nodes);
  const displays = nodes.filter(([, { type }]) => type === "display");
  if (displays.length > 0) return Object.assign({}, ...displays.map(([, node]) => fieldsOf(node, values)));
  const followed = new Set(nodes.flatMap(([id]) => predecessors(definition, id)));
  const last = nodes.filter(([id, { type }]) => type === "run" && !followed.has(id));
  return Object.fromEntries(last.map(([id]) => [id, values.get(id)]));
}
