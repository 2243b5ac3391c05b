// A queued request's status as server-sent events, from now until it is COMPLETED.
import type { Jobs } from "../../control/jobs/jobs.ts";
import type { Job, LogLine } from "../../core/job.ts";
import { failureBody } from "../failures.ts";
import type { ReportFailure } from "../report.ts";
import { REQUEST_ID } from "../request-id.ts";
import type { Call, Roots } from "./call.ts";
import { leftWith, sseData, sseEvent, sseResponse } from "./sse.ts";
import { completed, inProgress, inQueue, isOver } from "./translate.ts";

type Watching = {
  jobs: Jobs;
  job: Job;
  call: Call;
  withLogs: boolean;
  keepAliveMs: number;
  report: ReportFailure;
};

export function statusStream({ jobs, job, call, withLogs, keepAliveMs, report }: Watching): Response {
  const left = leftWith(call.request);
  return sseResponse({
    events: statuses({ jobs, job, withLogs, roots: call.roots, signal: left.signal }),
    left,
    keepAliveMs,
    headers: { [REQUEST_ID]: job.id },
    onFailure: (thrown) => sseEvent("error", failureBody(report(thrown, job.id))),
  });
}

type Statuses = Pick<Watching, "jobs" | "job" | "withLogs"> & { roots: Roots; signal: AbortSignal };

/** Each log line is sent once: the client joins the lines of all events. */
async function* statuses({ jobs, job, withLogs, roots, signal }: Statuses): AsyncGenerator<string> {
  let unsent: LogLine[] = [];
  let isRunning = false;
  const takeLogs = () => {
    const logs = withLogs ? unsent : null;
    unsent = [];
    return logs;
  };
  for await (const event of jobs.watch(job.id, signal)) {
    if (event.type === "log") unsent.push(event.line);
    if (event.type === "queued" || event.type === "started") isRunning = event.type === "started";
    if (event.type === "queued") yield sseData(inQueue(job, { position: event.position, roots }));
    if (event.type === "finished" && isOver(event.job))
      yield sseData(completed(event.job, { logs: takeLogs(), roots }));
    const isNews = event.type === "started" || (event.type === "log" && withLogs);
    if (isNews && isRunning) yield sseData(inProgress(job, { logs: takeLogs(), roots }));
  }
}
