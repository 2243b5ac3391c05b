// How many jobs of a key, a team or a model wait and run, for their limits: counted from what is in memory anyway.
import { unreachable } from "../../core/errors.ts";
import { asId, type JobId, type KeyId, type ModelId } from "../../core/ids.ts";
import type { Job } from "../../core/job.ts";
import type { Account } from "../accounts/account.ts";
import type { QueueLoad } from "../accounts/job-facts.ts";
import type { Attempt } from "./attempt.ts";
import { isComposite } from "./is-composite.ts";
import type { WaitingJobs } from "./waiting.ts";

type LoadParts = {
  waiting: Pick<WaitingJobs, "count" | "keys">;
  attempts: ReadonlyMap<JobId, Attempt>;
  teamOf: (key: KeyId) => string | undefined;
};

export function createQueueLoad({ waiting, attempts, teamOf }: LoadParts): QueueLoad {
  const isOf = ({ kind, id }: Account, { key, model }: Pick<Job, "key" | "model">): boolean => {
    switch (kind) {
      case "key":
        return key === id;
      case "team":
        return teamOf(key) === id;
      case "model":
        return model === id;
      default:
        return unreachable(kind);
    }
  };
  return {
    running(account) {
      let count = 0;
      // A composite job takes no runner, and would keep its own parts from running.
      for (const { job } of attempts.values()) if (!isComposite(job.model) && isOf(account, job)) count++;
      return count;
    },
    waiting({ kind, id }) {
      if (kind === "model") return waiting.count(asId<ModelId>(id));
      if (kind === "key") return waiting.keys().get(asId<KeyId>(id)) ?? 0;
      let count = 0;
      for (const [key, waits] of waiting.keys()) if (teamOf(key) === id) count += waits;
      return count;
    },
  };
}
