// What the jobs know of webhooks: announced when a job is submitted, due when it has ended, each in the job's own transaction.
import type { JobId } from "../../core/ids.ts";
import type { Job } from "../../core/job.ts";
import type { Instant } from "../../core/units.ts";
import type { OutboxStore } from "./outbox-store.ts";

/** `url` as checked by target.ts; `origin` is how the submitter reached this box. */
export type WebhookWish = { url: string; origin: string };

/** Callers hold the transaction in which the job begins or ends. */
export type Outbox = {
  announce(job: Pick<Job, "id" | "key" | "createdAt">, wish: WebhookWish): void;
  ended(job: JobId, at: Instant): void;
  /** Hears that something became due in a transaction that is still open. */
  onDue(listener: () => void): () => void;
};

export function createOutbox(store: Pick<OutboxStore, "insert" | "begin">): Outbox {
  const listeners = new Set<() => void>();
  return {
    announce: ({ id, key, createdAt }, { url, origin }) =>
      store.insert({ job: id, owner: key, url, host: new URL(url).host, origin, at: createdAt }),
    ended(job, at) {
      if (store.begin(job, at)) for (const listener of listeners) listener();
    },
    onDue(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
