// Carrying out one node: a utility at once, a model as a job of its own, found again after a restart.
import { ForecourtError, invariant, toFailure } from "../../core/errors.ts";
import { type JobId, newJobId } from "../../core/ids.ts";
import { isFinished, type Job } from "../../core/job.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { GroupCommit } from "../database/group-commit.ts";
import type { CompositeJobs } from "../jobs/composite.ts";
import type { Jobs } from "../jobs/jobs.ts";
import { withFolder } from "../storage/output-files.ts";
import type { WorkflowNode } from "./definition.ts";
import type { NodeOptions } from "./node-options.ts";
import { type Reference, resolved, valueAt } from "./references.ts";
import { utilityOf } from "./utilities.ts";
import type { WorkflowStore } from "./workflow-store.ts";

export type NodeParts = {
  store: Pick<WorkflowStore, "jobOf" | "setJob">;
  writes: Pick<GroupCommit, "write">;
  jobs: Pick<Jobs, "submit" | "attend">;
  composites: Pick<CompositeJobs, "part">;
  catalog: Pick<Catalog, "find" | "refusal">;
};

export type NodeRun = {
  run: Job;
  id: string;
  node: WorkflowNode;
  options: NodeOptions;
  /** By node; the workflow's input under `input`. */
  values: ReadonlyMap<string, unknown>;
  /** Ends the waiting, not the job. */
  signal: AbortSignal;
  onSubmitted(job: JobId): void;
};

/** A text that doubles with every node would fill the memory. */
const LARGEST_VALUE = 8 * 1024 * 1024;

/** The output. Throws what the node failed with, and the signal's reason. */
export async function carryOut(parts: NodeParts, nodeRun: NodeRun): Promise<unknown> {
  const { node, values } = nodeRun;
  if (node.type !== "run") return node.type === "display" ? fieldsOf(node, values) : node.input;
  const app = node.app ?? "";
  const input = resolved(node.input, lookIn(values));
  const utility = utilityOf(app);
  if (!utility) return await runModel(parts, nodeRun, { app, input });
  const output = utility.run(input);
  const size = JSON.stringify(output).length;
  if (size <= LARGEST_VALUE) return output;
  throw new ForecourtError("invalid_input", `The result has ${size} characters, and ${LARGEST_VALUE} may be.`);
}

export const fieldsOf = ({ fields }: Pick<WorkflowNode, "fields">, values: ReadonlyMap<string, unknown>) =>
  resolved(fields, lookIn(values));

export const lookIn =
  (values: ReadonlyMap<string, unknown>) =>
  ({ node, path }: Reference): unknown =>
    valueAt(values.get(node), path);

async function runModel(parts: NodeParts, nodeRun: NodeRun, what: { app: string; input: unknown }): Promise<unknown> {
  const { run, id, onSubmitted } = nodeRun;
  const known = parts.store.jobOf(run.id, id);
  const earlier = known === undefined ? undefined : parts.composites.part(known);
  const job = earlier ?? (await submit(parts, nodeRun, what));
  onSubmitted(job.id);
  const ended = isFinished(job) ? job : await endOf(parts, job, nodeRun);
  switch (ended.status) {
    case "done":
      if (ended.isForgotten) throw new ForecourtError("not_found", DELETED);
      return withFolder(ended.output, ended.files);
    case "failed":
      throw ForecourtError.from(ended.failure);
    default:
      throw new ForecourtError("client_cancelled", "The node's request was cancelled.");
  }
}

/** By who asked for it by its id: nothing else takes away what a run needs. */
const DELETED = "What this node gave was deleted before the workflow had ended. Send the workflow again.";

/** The node's job is on record before it is in the queue, in the same transaction. One that is gone is followed by another. */
async function submit(
  { store, writes, jobs, catalog }: NodeParts,
  { run, id, options }: NodeRun,
  { app, input }: { app: string; input: unknown },
): Promise<Job> {
  const entry = catalog.find(app);
  if (!entry)
    throw (
      catalog.refusal(app) ?? new ForecourtError("not_found", `The model ${app} was removed while this workflow ran.`)
    );
  const job = newJobId();
  writes.write(() => store.setJob(run.id, id, job));
  const { model } = entry;
  return await jobs.submit({
    ...options,
    id: job,
    model,
    endpoint: app,
    key: run.key,
    input,
    rejectInvalid: true,
    mayWait: true,
  });
}

async function endOf({ jobs }: NodeParts, { id }: Job, { run, signal }: NodeRun): Promise<Job> {
  for await (const event of jobs.attend(id, signal, run.id)) if (event.type === "finished") return event.job;
  signal.throwIfAborted();
  invariant(false, "watching ends with the job's end or the signal");
}

/** A failure with the node's name: in the message, in the places of its problems, and for machines. */
export function failureOfNode(thrown: unknown, id: string) {
  const { code, message, problems, details } = toFailure(thrown);
  return {
    code,
    message: `${id}: ${message}`,
    ...(problems && {
      problems: problems.map(({ loc, ...problem }) => ({
        ...problem,
        loc: ["body", "workflow", id, "input", ...loc.slice(1)],
      })),
    }),
    details: { ...details, node: id },
  };
}
