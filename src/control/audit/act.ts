// What the audit log tells.
import type { Instant } from "../../core/units.ts";

export type Act = {
  /** Id of the key, or `os:<account>` of a command. */
  actor: string;
  /** Where it was done from: an address or the name of the machine. */
  origin: string;
  /** `POST /admin/v1/keys` or `forecourt keys create`. */
  action: string;
  /** What it was about; never secrets. */
  details: Record<string, unknown>;
  /** `refused`: it was not allowed, or asked for wrongly. */
  outcome: "done" | "refused" | "failed";
  /** Status of the answer, or exit code of the command. */
  code: number;
  requestId?: string;
};

export type AuditEntry = Act & { id: string; at: Instant };

/** `before` is the id of the last entry of the page before. */
export type AuditPage = { actor?: string; since?: Instant; before?: string; limit: number };
