// Tables of stored workflows and of runs: what each runs and which job carries out which node. Only this folder touches them.
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { jobTable } from "../jobs/job.table.ts";

export const workflowTable = sqliteTable(
  "workflow",
  {
    /** Whose it is: what its endpoint id begins with after `workflows/`. */
    user: text().notNull(),
    name: text().notNull(),
    title: text().notNull(),
    /** Others may see and run it. */
    isPublic: integer("is_public", { mode: "boolean" }).notNull(),
    /** JSON of definition.ts. */
    contents: text().notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.user, table.name] }), index("workflow_by_age").on(table.createdAt)],
);

export const workflowRunTable = sqliteTable("workflow_run", {
  job: text()
    .primaryKey()
    .references(() => jobTable.id, { onDelete: "cascade" }),
  /** JSON of what runs, as it was when the run began. */
  definition: text().notNull(),
  /** JSON: the caller's options for every node's job. */
  options: text().notNull(),
});

export const workflowNodeTable = sqliteTable(
  "workflow_node",
  {
    run: text()
      .notNull()
      .references(() => workflowRunTable.job, { onDelete: "cascade" }),
    node: text().notNull(),
    /** Written before the job itself, so that a node never has two. */
    job: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.run, table.node] })],
);
