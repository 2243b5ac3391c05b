// Jobs in memory behind the real type, moved by hand, so that a test can look at every state of a request.

import type { Jobs, Submission } from "../../src/control/jobs/jobs.ts";
import { type Failure, ForecourtError } from "../../src/core/errors.ts";
import { asId, type JobId, type ModelId, newFileToken, newJobId, type RunnerId } from "../../src/core/ids.ts";
import { isFinished, type Job, type JobEvent, type JobState, type LogLine } from "../../src/core/job.ts";
import { parse, type TObject } from "../../src/core/schema.ts";
import { instant } from "../../src/core/units.ts";

export const AT = instant(Date.UTC(2026, 0, 2, 3, 4, 5, 678));

type Kept = { job: Job; logs: LogLine[]; listeners: Set<(event: JobEvent) => void> };

export type FakeJobs = Jobs & {
  submissions: Submission[];
  /** Called with each job that waits; the test moves it on. */
  onSubmit(move: (id: JobId) => void): void;
  start(id: JobId): void;
  log(id: JobId, message: string): void;
  progress(id: JobId, at: number, of: number): void;
  partial(id: JobId, value: unknown): void;
  finish(id: JobId, output: unknown): void;
  fail(id: JobId, failure: Failure): void;
  /** Resolves when a job was submitted, with its id. */
  next(): Promise<JobId>;
  watchers(id: JobId): number;
};

export function createFakeJobs({ inputOf }: { inputOf: (submission: Submission) => TObject }): FakeJobs {
  const kept = new Map<JobId, Kept>();
  const submissions: Submission[] = [];
  let mover: (id: JobId) => void = () => {};
  let arrivals: ((id: JobId) => void)[] = [];

  const get = (id: JobId): Kept => {
    const found = kept.get(id);
    if (!found) throw new ForecourtError("not_found", `There is no request ${id}.`);
    return found;
  };
  const tell = (id: JobId, event: JobEvent) => {
    for (const listener of [...get(id).listeners]) listener(event);
  };
  const become = (id: JobId, state: JobState) => {
    const entry = get(id);
    entry.job = { ...entry.job, ...state };
    if (isFinished(entry.job)) tell(id, { type: "finished", job: entry.job });
  };
  const queued = () => [...kept.values()].filter(({ job }) => job.status === "queued");
  const position = (id: JobId) =>
    Math.max(
      0,
      queued().findIndex(({ job }) => job.id === id),
    );

  const replay = (id: JobId): JobEvent[] => {
    const { job, logs } = get(id);
    const lines = logs.map((line): JobEvent => ({ type: "log", line }));
    if (isFinished(job)) return [...lines, { type: "finished", job }];
    if (job.status === "running") return [{ type: "started", runner: job.runner }, ...lines];
    return [{ type: "queued", position: position(id) }, ...lines];
  };

  return {
    submissions,
    onSubmit: (move) => {
      mover = move;
    },
    next: () => new Promise((resolve) => arrivals.push(resolve)),
    watchers: (id) => get(id).listeners.size,
    async submit(submission) {
      const { model, endpoint, key, rejectInvalid, maxQueue = Number.POSITIVE_INFINITY } = submission;
      if (queued().length >= maxQueue) throw new ForecourtError("queue_full", "The queue is full.");
      submissions.push(submission);
      const base = {
        id: newJobId(),
        model: asId<ModelId>(model.id),
        endpoint,
        key,
        priority: submission.priority ?? "normal",
        attempts: 0,
        retries: 0,
        files: newFileToken(),
        createdAt: AT,
      } as const;
      const job = checked(base, submission, inputOf(submission), rejectInvalid);
      kept.set(job.id, { job, logs: [], listeners: new Set() });
      if (!isFinished(job)) mover(job.id);
      for (const arrived of arrivals) arrived(job.id);
      arrivals = [];
      return job;
    },
    find: (id) => kept.get(id)?.job,
    position,
    logs: (id) => get(id).logs,
    async *watch(id, signal) {
      const waiting = replay(id);
      let wake = () => {};
      const listener = (event: JobEvent) => {
        waiting.push(event);
        wake();
      };
      get(id).listeners.add(listener);
      signal.addEventListener("abort", () => wake(), { once: true });
      try {
        while (!signal.aborted) {
          const event = waiting.shift();
          if (event) yield event;
          if (event?.type === "finished") return;
          if (waiting.length === 0 && !signal.aborted)
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
        }
      } finally {
        get(id).listeners.delete(listener);
      }
    },
    cancel(id) {
      const job = kept.get(id)?.job;
      if (!job) return "unknown";
      if (isFinished(job)) return "finished";
      become(id, { status: "cancelled", finishedAt: AT });
      return "requested";
    },
    open: () => [...kept.values()].map(({ job }) => job).filter((job) => !isFinished(job)),
    start: (id) => {
      const runner = asId<RunnerId>("runner-1");
      become(id, { status: "running", runner, startedAt: AT });
      tell(id, { type: "started", runner });
    },
    log: (id, message) => {
      const line: LogLine = { at: AT, level: "INFO", message };
      get(id).logs.push(line);
      tell(id, { type: "log", line });
    },
    progress: (id, at, of) => tell(id, { type: "progress", at, of }),
    partial: (id, value) => tell(id, { type: "partial", value }),
    finish: (id, output) =>
      become(id, {
        status: "done",
        output,
        units: { requests: 1, images: 2 },
        timing: { queueMs: 1.25, loadMs: 0, runMs: 3420 },
        device: "cpu",
        finishedAt: AT,
      }),
    fail: (id, failure) => become(id, { status: "failed", failure, finishedAt: AT }),
  };
}

type Base = Omit<Job, "input" | "status"> & { id: JobId };

function checked(base: Base, { input }: Submission, schema: TObject, rejectInvalid: boolean): Job {
  try {
    return { ...base, input: parse(schema, input), status: "queued" };
  } catch (error) {
    if (rejectInvalid || !(error instanceof ForecourtError)) throw error;
    return { ...base, input: {}, status: "failed", failure: error.toFailure(), finishedAt: AT };
  }
}
