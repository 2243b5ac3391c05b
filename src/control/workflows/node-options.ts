// What a workflow's caller wants for each of its nodes.
import type { Submission } from "../jobs/submission.ts";

/** What a workflow's caller asked for and every node's job gets. */
export type NodeOptions = Pick<Submission, "priority" | "retry" | "wishes" | "tags" | "keepsPayload" | "lifecycle">;
