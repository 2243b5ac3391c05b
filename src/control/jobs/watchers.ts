// Who watches which job: events go out in order, none is lost between a snapshot and what follows.
import type { JobId } from "../../core/ids.ts";
import type { JobEvent } from "../../core/job.ts";

export type Watchers = {
  has(id: JobId): boolean;
  /** Jobs that somebody watches. */
  watched(): Iterable<JobId>;
  emit(id: JobId, event: JobEvent): void;
  /**
   * `replay` is read at the moment from which events are kept, then they follow until `finished`.
   * Ends early, without `finished`, when `signal` is aborted.
   */
  follow(id: JobId, replay: () => JobEvent[], signal: AbortSignal): AsyncGenerator<JobEvent>;
};

type Inbox = { events: JobEvent[]; wake: () => void };

export function createWatchers(): Watchers {
  const inboxes = new Map<JobId, Set<Inbox>>();

  const open = (id: JobId): Inbox => {
    const inbox = { events: [], wake: () => {} };
    const others = inboxes.get(id);
    if (others) others.add(inbox);
    else inboxes.set(id, new Set([inbox]));
    return inbox;
  };
  const close = (id: JobId, inbox: Inbox) => {
    const all = inboxes.get(id);
    all?.delete(inbox);
    if (all?.size === 0) inboxes.delete(id);
  };

  return {
    has: (id) => inboxes.has(id),
    watched: () => inboxes.keys(),
    emit(id, event) {
      for (const inbox of inboxes.get(id) ?? []) {
        inbox.events.push(event);
        inbox.wake();
      }
    },
    async *follow(id, replay, signal) {
      const inbox = open(id);
      const wake = () => inbox.wake();
      signal.addEventListener("abort", wake);
      try {
        inbox.events.push(...replay());
        while (!signal.aborted) {
          const event = inbox.events.shift();
          if (event) yield event;
          if (event?.type === "finished") return;
          if (inbox.events.length === 0) await nextEvent(inbox, signal);
        }
      } finally {
        signal.removeEventListener("abort", wake);
        close(id, inbox);
      }
    },
  };
}

const nextEvent = (inbox: Inbox, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    inbox.wake = resolve;
    if (signal.aborted || inbox.events.length > 0) resolve();
  });
