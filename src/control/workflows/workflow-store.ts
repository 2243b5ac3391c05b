// Every SQL statement about workflows and their runs. Callers hold a transaction for changes: see group-commit.ts.
import { and, asc, desc, eq, getTableColumns, or, sql } from "drizzle-orm";
import { asId, type JobId } from "../../core/ids.ts";
import { type Instant, instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import type { Contents, Definition } from "./definition.ts";
import type { NodeOptions } from "./node-options.ts";
import { workflowNodeTable, workflowRunTable, workflowTable } from "./workflow.table.ts";

export type StoredWorkflow = {
  user: string;
  name: string;
  title: string;
  isPublic: boolean;
  contents: Contents;
  createdAt: Instant;
};

export type WorkflowPage = { user: string; offset: number; limit: number };

export type WorkflowStore = {
  /** False when the name is taken. */
  insert(workflow: StoredWorkflow): boolean;
  find(user: string, name: string): StoredWorkflow | undefined;
  /** The user's own and public ones, latest first. */
  list(page: WorkflowPage): Omit<StoredWorkflow, "contents">[];
  remove(user: string, name: string): boolean;
  begin(run: JobId, begun: { definition: Definition; options: NodeOptions }): void;
  begun(run: JobId): { definition: Definition; options: NodeOptions } | undefined;
  jobOf(run: JobId, node: string): JobId | undefined;
  setJob(run: JobId, node: string, job: JobId): void;
  /** Of all nodes of these. */
  jobsOf(runs: JobId[]): JobId[];
};

type Row = typeof workflowTable.$inferSelect;

export function createWorkflowStore({ orm }: Database): WorkflowStore {
  const workflow = workflowTable;
  // Contents may be large, and there are pages of them.
  const { contents: _, ...listed } = getTableColumns(workflow);
  const run = workflowRunTable;
  const node = workflowNodeTable;
  const isNamed = (user: string, name: string) => and(eq(workflow.user, user), eq(workflow.name, name));
  const isNode = (id: JobId, name: string) => and(eq(node.run, id), eq(node.node, name));
  return {
    insert: ({ contents, ...row }) =>
      orm
        .insert(workflow)
        .values({ ...row, contents: JSON.stringify(contents) })
        .onConflictDoNothing()
        .returning({ name: workflow.name })
        .get() !== undefined,
    find(user, name) {
      const row = orm.select().from(workflow).where(isNamed(user, name)).get();
      return row && stored(row);
    },
    list: ({ user, offset, limit }) =>
      orm
        .select(listed)
        .from(workflow)
        .where(or(eq(workflow.user, user), eq(workflow.isPublic, true)))
        .orderBy(desc(workflow.createdAt), asc(workflow.user), asc(workflow.name))
        .limit(limit)
        .offset(offset)
        .all()
        .map(({ createdAt, ...row }) => ({ ...row, createdAt: instant(createdAt) })),
    remove: (user, name) =>
      orm.delete(workflow).where(isNamed(user, name)).returning({ name: workflow.name }).get() !== undefined,
    begin(id, { definition, options }) {
      orm
        .insert(run)
        .values({ job: id, definition: JSON.stringify(definition), options: JSON.stringify(options) })
        .run();
    },
    begun(id) {
      const row = orm.select().from(run).where(eq(run.job, id)).get();
      // As `begin` wrote it.
      return (
        row && { definition: JSON.parse(row.definition) as Definition, options: JSON.parse(row.options) as NodeOptions }
      );
    },
    jobOf(id, name) {
      const row = orm.select({ job: node.job }).from(node).where(isNode(id, name)).get();
      return row && asId<JobId>(row.job);
    },
    jobsOf: (runs) =>
      orm
        .select({ job: node.job })
        .from(node)
        .where(sql`${node.run} in (select value from json_each(${JSON.stringify(runs)}))`)
        .all()
        .map(({ job }) => asId<JobId>(job)),
    setJob(id, name, job) {
      orm
        .insert(node)
        .values({ run: id, node: name, job })
        .onConflictDoUpdate({ target: [node.run, node.node], set: { job } })
        .run();
    },
  };
}

const stored = ({ contents, createdAt, ...row }: Row): StoredWorkflow => ({
  ...row,
  contents: JSON.parse(contents) as Contents, // as `insert` wrote it
  createdAt: instant(createdAt),
});
