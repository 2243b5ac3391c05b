// Workflows: stored under a user's name, or sent with their call; checked whole before anything runs. The only door to this folder's parts.
import type { Clock, Timers } from "../../core/clock.ts";
import { type FieldProblem, ForecourtError } from "../../core/errors.ts";
import type { JobId } from "../../core/ids.ts";
import type { Job } from "../../core/job.ts";
import type { Log } from "../../core/log.ts";
import { parse, type TObject, Type } from "../../core/schema.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { Database } from "../database/open.ts";
import type { CompositeJobs, CompositeSubmission } from "../jobs/composite.ts";
import type { Jobs } from "../jobs/jobs.ts";
import type { JobWork } from "../jobs/work.ts";
import type { Key } from "../keys/key.ts";
import { checkDefinition, type FindApp, type Loc } from "./check.ts";
import { createConductor } from "./conductor.ts";
import {
  type Contents,
  contentsSchema,
  type Definition,
  definitionOf,
  EXECUTE,
  inputSchemaOf,
  nodesOf,
  nodesSchema,
} from "./definition.ts";
import type { NodeOptions } from "./node-options.ts";
import { INPUT, referencesIn } from "./references.ts";
import { utilityOf } from "./utilities.ts";
import { createWorkflowStore, type StoredWorkflow, type WorkflowPage } from "./workflow-store.ts";

export type WorkflowCall = {
  /** `workflows/execute` or `workflows/<user>/<name>`. */
  endpoint: string;
  caller: Key;
  /** Unchecked. */
  input: unknown;
  /** As of `Submission` in jobs.ts. */
  rejectInvalid: boolean;
  options: NodeOptions & Pick<CompositeSubmission, "webhook">;
};

export type Workflows = {
  /** Throws `not_found` for a workflow that does not exist or is not the caller's to run, `invalid_input`, `queue_full`. */
  run(call: WorkflowCall): Promise<Job>;
  /** Throws `bad_request` for a name that is taken, `invalid_input` for what could not run. */
  store(workflow: {
    owner: Key;
    name: string;
    title: string;
    isPublic: boolean;
    contents: Contents;
  }): Promise<StoredWorkflow>;
  /** Undefined for one that the reader may not see. */
  find(reader: Key, user: string, name: string): StoredWorkflow | undefined;
  list(reader: Key, page: Omit<WorkflowPage, "user">): Omit<StoredWorkflow, "contents">[];
  /** Runs that are under way go on. Throws `not_found`. */
  remove(owner: Key, user: string, name: string): Promise<void>;
  /** Jobs of the nodes of runs under way: a run that is taken up after a restart begins with what they gave. */
  neededJobs(): JobId[];
  start(): void;
  stop(): Promise<void>;
};

export type WorkflowsParts = {
  database: Database;
  catalog: Pick<Catalog, "find" | "refusal">;
  jobs: Jobs;
  composites: CompositeJobs;
  work: JobWork;
  /** Runs at the same time. */
  maxRuns: number;
  clock: Clock;
  timers: Timers;
  log: Log;
};

/** Keys of the same name are the same user's: a key that replaces another keeps what that one stored. */
function userOf({ id, name }: Pick<Key, "id" | "name">): string {
  const slug = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  return slug === "" || slug === "execute" ? id : slug;
}

export function createWorkflows(parts: WorkflowsParts): Workflows {
  const { database, catalog, composites, maxRuns, clock } = parts;
  const store = createWorkflowStore(database);
  const conductor = createConductor({ ...parts, store, writes: database });
  const findApp: FindApp = (app) => catalog.find(app) ?? utilityOf(app);
  const find: Workflows["find"] = (reader, user, name) => {
    const found = store.find(user, name);
    return found && (found.isPublic || isOwner(reader, user)) ? found : undefined;
  };

  return {
    async run({ endpoint, caller, input, rejectInvalid, options }) {
      if (conductor.size >= maxRuns)
        throw new ForecourtError("queue_full", `${maxRuns} workflows run already. Try again later.`);
      const prepare =
        endpoint === EXECUTE
          ? () => adHoc(input, findApp)
          : () => ofStored(findOr404(find, caller, endpoint), input, findApp);
      const prepared = attempt(prepare, rejectInvalid, input);
      const { webhook, ...nodeOptions } = options;
      const begun = { definition: prepared.definition, options: nodeOptions };
      const submission = { ...options, model: { id: endpoint }, endpoint, key: caller.id, ...prepared.job };
      const job = await composites.begin(submission, (id) => store.begin(id, begun));
      if (job.status === "running") conductor.conduct(job, begun);
      return job;
    },
    async store({ owner, name, title, isPublic, contents }) {
      check(definitionOf(contents), {
        findApp,
        nodesLoc: ["body", "contents", "nodes"],
        outputLoc: ["body", "contents", "output"],
      });
      const workflow = { user: userOf(owner), name, title, isPublic, contents, createdAt: clock.now() };
      const isNew = database.write(() => store.insert(workflow));
      if (!isNew) throw new ForecourtError("bad_request", `There is already a workflow ${workflow.user}/${name}.`);
      await database.committed();
      return workflow;
    },
    find,
    list: (reader, page) => store.list({ ...page, user: userOf(reader) }),
    async remove(owner, user, name) {
      const isRemoved = isOwner(owner, user) && database.write(() => store.remove(user, name));
      if (!isRemoved) throw noWorkflow(`${user}/${name}`);
      await database.committed();
    },
    neededJobs() {
      const runs = composites.open();
      return runs.length === 0 ? [] : store.jobsOf(runs);
    },
    start: conductor.start,
    stop: conductor.stop,
  };
}

const isOwner = (key: Key, user: string) => key.scope === "admin" || userOf(key) === user;

const noWorkflow = (name: string) => new ForecourtError("not_found", `There is no workflow ${name.slice(0, 200)}.`);

function findOr404(find: Workflows["find"], caller: Key, endpoint: string): StoredWorkflow {
  const [, user = "", name = ""] = endpoint.split("/");
  const found = find(caller, user, name);
  if (!found) throw noWorkflow(`${user}/${name}`);
  return found;
}

type Prepared = { definition: Definition; job: Pick<CompositeSubmission, "input" | "failure"> };

const NOTHING: Definition = { nodes: {}, output: {}, inputs: undefined };

/** A wrong input is the job's failure where the caller hears of it later. */
function attempt(prepare: () => Prepared, rejectInvalid: boolean, given: unknown): Prepared {
  try {
    return prepare();
  } catch (error) {
    if (rejectInvalid || !(error instanceof ForecourtError) || error.code !== "invalid_input") throw error;
    const input = typeof given === "object" && given !== null && !Array.isArray(given) ? { ...given } : {};
    return { definition: NOTHING, job: { input, failure: error.toFailure() } };
  }
}

const callSchema: TObject = Type.Object({
  input: Type.Record(Type.String(), Type.Unknown(), { default: {} }),
  workflow: Type.Unknown(),
});
const mapSchema = Type.Object({ workflow: nodesSchema });
const wholeSchema = Type.Object({ workflow: contentsSchema });

/** `workflow` is a map of nodes, or the whole contents as they are stored. */
function adHoc(body: unknown, findApp: FindApp): Prepared {
  const { input, workflow } = parse(callSchema, body) as { input: Record<string, unknown>; workflow: unknown };
  const isWhole =
    typeof workflow === "object" &&
    workflow !== null &&
    "nodes" in workflow &&
    !Object.hasOwn(Object(workflow.nodes), "type");
  const nodesLoc: Loc = ["body", "workflow", ...(isWhole ? ["nodes"] : [])];
  const definition: Definition = isWhole
    ? { ...definitionOf(parse(wholeSchema, { workflow }).workflow), inputs: undefined }
    : { ...NOTHING, nodes: nodesOf(parse(mapSchema, { workflow }).workflow) };
  check(definition, { findApp, nodesLoc, outputLoc: ["body", "workflow", "output"] });
  requireInputs(definition, input, nodesLoc);
  return { definition, job: { input: { input, workflow: Object(workflow) } } };
}

/** Nothing declares the inputs of such a workflow but their use. */
function requireInputs({ nodes }: Definition, input: Record<string, unknown>, nodesLoc: Loc): void {
  const known = { ...nodes[INPUT]?.input, ...input };
  const problems = Object.entries(nodes)
    .flatMap(([id, node]) => referencesIn({ input: node.input, fields: node.fields }, [...nodesLoc, id]))
    .flatMap(({ node, path: [name], loc }): FieldProblem[] => {
      if (node !== INPUT || name === undefined || Object.hasOwn(known, name)) return [];
      return [{ loc, type: "missing", msg: `The input has no ${name}` }];
    });
  reject(problems);
}

function ofStored({ contents }: StoredWorkflow, body: unknown, findApp: FindApp): Prepared {
  const definition = definitionOf(contents);
  const input = parse(inputSchemaOf(contents), body);
  // Models may have gone since it was stored.
  check(definition, { findApp, nodesLoc: ["workflow"], outputLoc: ["workflow", "output"] });
  return { definition, job: { input } };
}

const check = (definition: Definition, parts: Parameters<typeof checkDefinition>[1]) =>
  reject(checkDefinition(definition, parts));

function reject(problems: FieldProblem[]): void {
  if (problems.length === 0) return;
  const told = problems.map(({ loc, msg }) => `${loc.slice(1).join(".")}: ${msg}`).join("; ");
  throw new ForecourtError("invalid_input", told.slice(0, 2000), { problems: problems.slice(0, 100) });
}

export const endpointOfWorkflow = ({ user, name }: Pick<StoredWorkflow, "user" | "name">) =>
  `workflows/${user}/${name}`;
