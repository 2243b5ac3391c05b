// Who may read a job's output files, where the caller said so, and how much longer.
import type { Clock } from "../../core/clock.ts";
import { asId, type FileToken } from "../../core/ids.ts";
import type { Key } from "../keys/key.ts";
import { type Acl, type Decision, decide, OPEN } from "../storage/acl.ts";
import type { JobStore } from "./job-store.ts";

export type FileRules = {
  /** May they be read by this key, or by someone without one? */
  decide(reader: Key | undefined): Decision;
  /** Until their end; infinite for files that stay as long as their job. */
  secondsLeft: number;
};

/** Undefined for files that anyone may read for as long as they are there. */
export type FindFileRules = (token: string) => FileRules | undefined;

export function createFileRules({ store, clock }: { store: Pick<JobStore, "guardOf">; clock: Clock }): FindFileRules {
  return (token) => {
    const guard = store.guardOf(asId<FileToken>(token));
    if (!guard) return undefined;
    const acl = guard.acl === null ? OPEN : (JSON.parse(guard.acl) as Acl); // written by new-job.ts
    const secondsLeft = guard.until === undefined ? Number.POSITIVE_INFINITY : (guard.until - clock.now()) / 1000;
    const isOver = secondsLeft <= 0;
    return { secondsLeft, decide: (reader) => (isOver ? "hide" : decide({ acl, owner: guard.owner }, reader)) };
  };
}
