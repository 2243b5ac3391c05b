// Requests of OpenAI's clients as jobs: one for each answer that is asked for; they end together, and leave with their caller.
import type { Accounts } from "../../control/accounts/accounts.ts";
import type { Batches } from "../../control/batches/batches.ts";
import type { Catalog, CatalogEntry } from "../../control/catalog/catalog.ts";
import type { Names } from "../../control/catalog/names.ts";
import type { Conversations } from "../../control/conversations/conversations.ts";
import type { JobHistory } from "../../control/jobs/history.ts";
import type { Jobs } from "../../control/jobs/jobs.ts";
import type { Files } from "../../control/storage/files.ts";
import type { Uploads } from "../../control/storage/uploads.ts";
import type { Supply } from "../../control/weights/supply.ts";
import { ForecourtError } from "../../core/errors.ts";
import type { JobId } from "../../core/ids.ts";
import type { Job } from "../../core/job.ts";
import type { Bytes } from "../../core/units.ts";
import type { Call } from "../fal/call.ts";
import { submissionOptions } from "../fal/submission-options.ts";
import { type FinishedJob, failureOf, isOver } from "../fal/translate.ts";
import { untilFinished } from "../fal/until-finished.ts";
import type { ReportFailure } from "../report.ts";

export type OpenAiParts = {
  catalog: Catalog;
  /** Of the setting openai.models. */
  names: Names;
  /** Of the setting openai.voices. */
  voices: Readonly<Record<string, string>>;
  jobs: Jobs;
  history: Pick<JobHistory, "erase">;
  conversations: Conversations;
  uploads: Uploads;
  batches: Batches;
  supply: Pick<Supply, "presenceOf">;
  accounts: Pick<Accounts, "chargeOf">;
  files: Pick<Files, "find">;
  bodyLimit: Bytes;
  keepAliveMs: number;
  report: ReportFailure;
};

export type DoneJob = Extract<Job, { status: "done" }>;
type Chosen = { entry: CatalogEntry; endpoint: string };
type Begin = Chosen & {
  /** Unchecked; one for each job. */
  inputs: unknown[];
  isFollowed: boolean;
  /** true: nobody waits for it. It outlives its caller's connection, and is on disk from its beginning. */
  isLeft?: boolean;
  /** false: input and output are forgotten soon after the end. */
  keepsPayload?: boolean;
  /** Of the one job that there is, where it has to be known before. */
  id?: JobId;
};

/** Throws what keeps a request out; then none of them runs. */
export async function beginJobs({ jobs }: OpenAiParts, call: Call, begin: Begin): Promise<Job[]> {
  const { entry, endpoint, inputs, isFollowed, isLeft = false, keepsPayload = true, id } = begin;
  const { request, query, caller } = call;
  const options = submissionOptions(request.headers, query);
  call.waitForever();
  request.signal.throwIfAborted();
  const common = { ...options, model: entry.model, endpoint, key: caller.id, rejectInvalid: true, retry: isLeft };
  const wishes = isFollowed && { wishes: { ...options.wishes, partials: true as const } };
  const keeping = !keepsPayload && { keepsPayload };
  const isAnnounced = isFollowed || isLeft;
  const submit = (input: unknown) =>
    jobs.submit({ ...common, ...keeping, input, isAnnounced, ...wishes, ...(id && { id }) });
  const results = await Promise.allSettled(inputs.map(submit));
  const begun = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const refused = results.find((result) => result.status === "rejected");
  if (!refused) return begun;
  abandonAll(jobs, begun);
  throw refused.reason;
}

export function abandonAll(jobs: Pick<Jobs, "abandon">, begun: readonly Pick<Job, "id">[]): void {
  for (const { id } of begun) jobs.abandon(id);
}

/** In the order in which they were begun. Throws the failure of the first that has no output, and ends the others. */
export async function finishedJobs(jobs: Jobs, begun: Job[], signal: AbortSignal): Promise<DoneJob[]> {
  try {
    return await Promise.all(begun.map(async ({ id }) => doneJob(await untilFinished(jobs, id, signal))));
  } catch (error) {
    abandonAll(jobs, begun);
    throw error;
  }
}

/** Throws the failure of a job without output. */
function doneJob(job: FinishedJob | undefined): DoneJob {
  if (!job) throw new ForecourtError("client_cancelled", "The caller left before the request was done.");
  if (job.status === "done") return job;
  throw ForecourtError.from(failureOf(job));
}

/** What a language model says of one job: partial answers, then the whole one. Throws its failure. `isLeft`: as in `Begin`. */
export async function* answersOf<Partial, Output>(
  jobs: Jobs,
  { id }: Job,
  signal: AbortSignal,
  isLeft = false,
): AsyncGenerator<{ partial: Partial } | { output: Output }> {
  for await (const event of isLeft ? jobs.watch(id, signal) : jobs.attend(id, signal)) {
    if (event.type === "partial") yield { partial: event.value as Partial }; // checked by nobody: the pipeline's own type
    if (event.type === "finished" && isOver(event.job)) yield { output: doneJob(event.job).output as Output };
  }
}
