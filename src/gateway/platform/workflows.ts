// Stored workflows: made, listed, shown and removed; each is an endpoint of its own at workflows/<user>/<name>.
import { contentsSchema } from "../../control/workflows/definition.ts";
import type { StoredWorkflow } from "../../control/workflows/workflow-store.ts";
import { endpointOfWorkflow } from "../../control/workflows/workflows.ts";
import { ForecourtError } from "../../core/errors.ts";
import { Type } from "../../core/schema.ts";
import { get, post, remove } from "./operation.ts";
import { offsetOf, pageFields, pageResult, toCursor } from "./query.ts";

const summary = {
  name: Type.String(),
  title: Type.String(),
  user_nickname: Type.String(),
  created_at: Type.String({ format: "date-time" }),
  is_public: Type.Boolean(),
  endpoint_id: Type.String({ description: "What it is called by" }),
};
const workflowResult = Type.Object({ workflow: Type.Object({ ...summary, contents: contentsSchema }) });

export const listWorkflows = get({
  path: "/workflows",
  summary: "The caller's workflows and public ones, latest first",
  query: Type.Object({ ...pageFields(100, 50) }),
  result: Type.Object({ workflows: Type.Array(Type.Object(summary)), ...pageResult }),
  answer({ workflows }, { caller, query: { limit, cursor } }) {
    const offset = offsetOf(cursor);
    const found = workflows.list(caller, { offset, limit: limit + 1 });
    const hasMore = found.length > limit;
    return {
      workflows: found.slice(0, limit).map(summaryOf),
      next_cursor: hasMore ? toCursor([offset + limit]) : null,
      has_more: hasMore,
    };
  },
});

/** What an endpoint id may end with. */
const NAME = "^[a-z0-9][a-z0-9._-]{0,99}$";

export const createWorkflow = post({
  path: "/workflows",
  summary: "Store a workflow; what could not run is refused with the place that is wrong",
  body: Type.Object({
    name: Type.String({ pattern: NAME, description: "Lower-case letters, digits, ., - and _; unique for its user" }),
    title: Type.String({ minLength: 1, maxLength: 500 }),
    is_public: Type.Boolean({ default: false, description: "Others may see and run it" }),
    contents: contentsSchema,
  }),
  status: 201,
  result: workflowResult,
  async answer({ workflows }, { caller, body: { name, title, is_public, contents } }) {
    return published(await workflows.store({ owner: caller, name, title, isPublic: is_public, contents }));
  },
});

export const showWorkflow = get({
  path: "/workflows/{user}/{name}",
  summary: "One workflow with its contents",
  result: workflowResult,
  answer({ workflows }, { caller, names: { user = "", name = "" } }) {
    const found = workflows.find(caller, user, name);
    if (!found) throw new ForecourtError("not_found", `There is no workflow ${user}/${name}.`.slice(0, 300));
    return published(found);
  },
});

export const removeWorkflow = remove({
  path: "/workflows/{user}/{name}",
  summary: "Remove a workflow of the caller's; runs that are under way go on",
  answer: ({ workflows }, { caller, names: { user = "", name = "" } }) => workflows.remove(caller, user, name),
});

const summaryOf = (workflow: Omit<StoredWorkflow, "contents">) => ({
  name: workflow.name,
  title: workflow.title,
  user_nickname: workflow.user,
  created_at: new Date(workflow.createdAt).toISOString(),
  is_public: workflow.isPublic,
  endpoint_id: endpointOfWorkflow(workflow),
});

const published = (workflow: StoredWorkflow) => ({
  workflow: { ...summaryOf(workflow), contents: workflow.contents },
});
