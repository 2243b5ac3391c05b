// Traces by setting: a request's span and below it its job's. Off, nothing of it is loaded and nothing is done.
import type { Timers } from "../../core/clock.ts";
import { ForecourtError } from "../../core/errors.ts";
import type { JobId } from "../../core/ids.ts";
import type { JobOutcome } from "../../core/job.ts";
import type { Log } from "../../core/log.ts";
import { milliseconds } from "../../core/units.ts";
import type { Jobs } from "../jobs/jobs.ts";
import type { Parent, RequestFacts, SpanMaker } from "./spans.ts";

export type Tracing = {
  isOn: boolean;
  /** After an answer is made. */
  answered(facts: RequestFacts): void;
  start(): Promise<void>;
  /** Sends what is left. */
  stop(): Promise<void>;
};

export type TracingParts = {
  jobs: Pick<Jobs, "follow">;
  /** Empty: off. */
  endpoint: string;
  /** Of traces begun here that are sent. */
  percent: number;
  version: string;
  timers: Timers;
  log: Log;
};

/** A job may end before its request is answered, and long after: the first of the two waits for the other. */
const KEPT = 20_000;
/** Jobs that no request asked for (parts of workflows, messages of a connection) get traces of their own after this. */
const PATIENCE = milliseconds(5_000);

/** A collector that is gone must not hold up a stop. */
const LONGEST_STOP = milliseconds(2_000);

export function createTracing({ jobs, endpoint, percent, version, timers, log }: TracingParts): Tracing {
  const parents = new Map<JobId, Parent>();
  const ended = new Map<JobId, JobOutcome>();
  let spans: SpanMaker | undefined;
  let unfollow = () => {};

  const finish = (job: JobOutcome) => {
    spans?.job(job, parents.get(job.id));
    parents.delete(job.id);
    ended.delete(job.id);
  };
  const onEnded = (job: JobOutcome) => {
    if (parents.has(job.id)) return finish(job);
    ended.set(job.id, job);
    timers.after(PATIENCE, () => ended.has(job.id) && finish(job));
  };

  return {
    isOn: endpoint !== "",
    answered(facts) {
      if (!spans) return;
      const id = facts.requestId as JobId; // of requests that made no job it is found nowhere
      const parent = spans.request(facts);
      // Whoever names a job in the path asks about it, often and long after its end: it hangs below the request that made it.
      if (facts.path.includes(id)) return;
      parents.set(id, parent);
      const job = ended.get(id);
      if (job) finish(job);
      if (parents.size > KEPT) parents.delete(parents.keys().next().value ?? id);
    },
    async start() {
      if (endpoint === "") return;
      if (!URL.canParse(endpoint))
        throw new ForecourtError("misconfigured", `tracing.endpoint: ${endpoint} is no URL.`);
      const { createSpanMaker } = await import("./spans.ts");
      spans = createSpanMaker({ endpoint, share: percent / 100, version, log });
      unfollow = jobs.follow(onEnded);
      log.info("traces are sent", { endpoint, percent });
    },
    async stop() {
      unfollow();
      for (const job of [...ended.values()]) finish(job);
      if (!spans) return;
      const { promise: late, resolve: giveUp } = Promise.withResolvers<void>();
      const callOff = timers.after(LONGEST_STOP, giveUp);
      const sent = spans
        .stop()
        .catch((error) => log.warn("the last traces could not be sent", { error: String(error) }));
      await Promise.race([sent, late]);
      callOff();
    },
  };
}
