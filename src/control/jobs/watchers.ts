// Who watches which job: events go out in order, none is lost between a snapshot and what follows.
import type { JobId } from "../../core/ids.ts";
import type { JobEvent } from "../../core/job.ts";

export type Watchers = {
  has(id: JobId): boolean;
  /** Jobs that somebody watches. */
  watched(): Iterable<JobId>;
  emit(id: JobId, event: JobEvent): void;
  /** Hears every event from now on, until the returned function is called. */
  listen(id: JobId, listener: Listener): () => void;
  /**
   * `replay` is read at the moment from which events are kept, then they follow until `finished`.
   * Ends early, without `finished`, when `signal` is aborted. Nothing is held for a reader from either on, whether or not it reads to
   * the end: many take `finished` for the last word and ask no further.
   */
  follow(id: JobId, replay: () => JobEvent[], signal: AbortSignal): AsyncGenerator<JobEvent>;
};

type Listener = (event: JobEvent) => void;

export function createWatchers(): Watchers {
  const listeners = new Map<JobId, Set<Listener>>();

  const listen: Watchers["listen"] = (id, listener) => {
    const all = listeners.get(id) ?? new Set();
    listeners.set(id, all.add(listener));
    return () => {
      all.delete(listener);
      if (all.size === 0 && listeners.get(id) === all) listeners.delete(id);
    };
  };

  return {
    has: (id) => listeners.has(id),
    watched: () => listeners.keys(),
    emit(id, event) {
      for (const listener of listeners.get(id) ?? NOBODY) listener(event);
    },
    listen,
    async *follow(id, replay, signal) {
      const inbox: Inbox = { events: [], wake: () => {} };
      const close = listen(id, (event) => {
        put(event, inbox.events);
        inbox.wake();
      });
      const stop = () => {
        signal.removeEventListener("abort", stop);
        close();
        inbox.wake();
      };
      signal.addEventListener("abort", stop);
      try {
        inbox.events.push(...replay());
        while (!signal.aborted) {
          const event = inbox.events.shift();
          if (event?.type === "finished") stop();
          if (event) yield event;
          if (event?.type === "finished") return;
          if (inbox.events.length === 0) await nextEvent(inbox, signal);
        }
      } finally {
        stop();
      }
    },
  };
}

/** Of a reader who reads slower than they come. */
const MOST_WHOLE = 64;

/** Each whole partial is as long as the answer so far: kept for a reader who takes none, they would be its square. */
function put(event: JobEvent, events: JobEvent[]): void {
  const last = events.at(-1);
  const isBehind = events.length >= MOST_WHOLE && last?.type === "partial" && last.isWhole === true;
  if (isBehind && event.type === "partial" && event.isWhole) events[events.length - 1] = event;
  else events.push(event);
}

const NOBODY: readonly Listener[] = [];

type Inbox = { events: JobEvent[]; wake: () => void };

const nextEvent = (inbox: Inbox, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    inbox.wake = resolve;
    if (signal.aborted || inbox.events.length > 0) resolve();
  });
