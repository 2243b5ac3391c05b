// Columns of everything that is sent from an outbox.
import { integer, text } from "drizzle-orm/sqlite-core";

export const deliveryColumns = {
  url: text().notNull(),
  /** Host and port of `url`: what the limit of simultaneous attempts counts. */
  host: text().notNull(),
  /** The key whose request it tells of; null for what is no request's. Nobody may take all places. */
  owner: text(),
  /** URLs of files in the payload begin with it: how the submitter reached this box. */
  origin: text().notNull(),
  /** waiting: not to be sent yet. pending: to be sent at `dueAt`. dead: given up. */
  status: text({ enum: ["waiting", "pending", "delivered", "dead"] }).notNull(),
  /** Of the present round; a replay begins a new one. */
  attempts: integer().notNull().default(0),
  createdAt: integer("created_at").notNull(),
  /** When what is told of had happened. */
  endedAt: integer("ended_at"),
  dueAt: integer("due_at"),
  /** When it was delivered or given up. */
  settledAt: integer("settled_at"),
  /** What the receiver answered last, where it did. */
  httpStatus: integer("http_status"),
  /** Why the last attempt failed. */
  reason: text(),
};
