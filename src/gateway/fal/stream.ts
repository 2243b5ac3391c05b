// A sync run whose partial outputs are sent as they come; the last event is the whole result.
import type { Jobs } from "../../control/jobs/jobs.ts";
import { ForecourtError } from "../../core/errors.ts";
import type { Job, JobEvent } from "../../core/job.ts";
import { failureBody, failureResponse } from "../failures.ts";
import { onAbort } from "../on-abort.ts";
import type { ReportFailure } from "../report.ts";
import { REQUEST_ID } from "../request-id.ts";
import type { Call, Roots } from "./call.ts";
import { leftWith, sseComment, sseData, sseEvent, sseResponse } from "./sse.ts";
import { type FinishedJob, failureOf, isOver, publicOutput } from "./translate.ts";

type Streaming = {
  jobs: Jobs;
  job: Job;
  call: Call;
  keepAliveMs: number;
  report: ReportFailure;
};

/** Until the job has started, a failure is an ordinary answer with its own status. */
export async function streamResponse(parts: Streaming): Promise<Response> {
  const { jobs, job, call, keepAliveMs, report } = parts;
  const left = leftWith(call.request);
  onAbort(left.signal, () => jobs.abandon(job.id));
  const events = jobs.attend(job.id, left.signal);
  const first = await untilStarted(events);
  if (first.type === "finished" && isOver(first.job) && first.job.status !== "done")
    return failureResponse(failureOf(first.job), job.id);
  return sseResponse({
    events: outputs({ first, events, job, roots: call.roots }),
    left,
    keepAliveMs,
    headers: { [REQUEST_ID]: job.id },
    onFailure: (thrown) => sseEvent("error", failureBody(report(thrown, job.id))),
  });
}

async function untilStarted(events: AsyncGenerator<JobEvent>): Promise<JobEvent> {
  for (;;) {
    const { done, value } = await events.next();
    if (done) throw new ForecourtError("client_cancelled", "The caller left before the request was done.");
    if (value.type !== "queued" && value.type !== "log") return value;
  }
}

type Outputs = { first: JobEvent; events: AsyncGenerator<JobEvent>; job: Job; roots: Roots };

/** Progress is a comment, because callers take every event for an output of the model. */
async function* outputs({ first, events, job, roots }: Outputs): AsyncGenerator<string> {
  try {
    for (let event = first; ; ) {
      if (event.type === "progress") yield sseComment(`progress ${event.at}/${event.of}`);
      if (event.type === "partial") yield sseData(publicOutput(event.value, job.files, roots));
      if (event.type === "finished" && isOver(event.job)) yield lastEvent(event.job, roots);
      const { done, value } = await events.next();
      if (done) return;
      event = value;
    }
  } finally {
    await events.return(undefined);
  }
}

const lastEvent = (job: FinishedJob, roots: Roots) =>
  job.status === "done"
    ? sseData(publicOutput(job.output, job.files, roots))
    : sseEvent("error", failureBody(failureOf(job)));
