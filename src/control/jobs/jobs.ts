// The waist of the house: submit, watch, cancel durable jobs. Every face is a translation to these few calls.
import { ForecourtError } from "../../core/errors.ts";
import { asId, type JobId, type KeyId, type ModelId } from "../../core/ids.ts";
import {
  hintOf,
  isFinished,
  type Job,
  type JobEvent,
  type JobOutcome,
  type LogLine,
  type OpenStatus,
  outcomeOf,
} from "../../core/job.ts";
import type { Model } from "../../engine/model.ts";
import type { Admission } from "../accounts/job-facts.ts";
import { priceJson } from "../accounts/price.ts";
import { checkedInput } from "../catalog/asked.ts";
import type { CatalogEntry } from "../catalog/catalog.ts";
import type { Lifecycle } from "../storage/acl.ts";
import { createFileRules, type FindFileRules } from "./file-rules.ts";
import { isComposite } from "./is-composite.ts";
import { failedAtOnce } from "./job-end.ts";
import { type JobRow, jobOf, type OpenJob, openJobOf, seenJob } from "./job-row.ts";
import type { JobLedger } from "./ledger.ts";
import { type Checked, newJob, rowOf } from "./new-job.ts";
import type { Submission } from "./submission.ts";

export type Jobs = {
  /**
   * Resolves when the job is on disk (one that is not durable: at once; one that is not announced: at once, unless the disk was found full). Throws `invalid_input`, `queue_full`, `forbidden` for a model that is none of the
   * key's, `rate_limited`, `concurrency_limited` (see `mayWait`) and `budget_exhausted`.
   */
  submit(submission: Submission): Promise<Job>;
  find(id: JobId): Job | undefined;
  /** Jobs of the same model that will run before this one. */
  position(id: JobId): number;
  logs(id: JobId): LogLine[];
  /**
   * Replays the state, log lines and partial values so far, then follows; the last event is `finished`, unless `signal` ends it
   * before. Unknown id throws `not_found`.
   */
  watch(id: JobId, signal: AbortSignal): AsyncGenerator<JobEvent>;
  /**
   * As `watch`, for a caller who waits for the end as in `untilEnd`: throws what that throws, and the job is abandoned. With `whole`,
   * a composite job that this one is part of, only where somebody waits for the end of that.
   */
  attend(id: JobId, signal: AbortSignal, whole?: JobId): AsyncGenerator<JobEvent>;
  /**
   * The job once it has ended; undefined when `signal` comes first. Unknown id throws `not_found`. It is `watch` for who needs
   * the end alone. Throws `unavailable` when the end could not be written, and as `giveUpWaiting` says; then the job is abandoned.
   */
  untilEnd(id: JobId, signal: AbortSignal): Promise<Job | undefined>;
  /** The box stops: whoever waits in `untilEnd` hears `unavailable`, and the jobs that were waited for are abandoned. */
  giveUpWaiting(): void;
  /** A queued job ends at once; a running one between two steps. */
  cancel(id: JobId): "requested" | "finished" | "unknown";
  /** As `cancel`, for a caller who has gone and hears of nothing: what the disk refuses now is done when there is room. */
  abandon(id: JobId): void;
  /** Rules for reading the output files of the folder with this token. */
  fileRules: FindFileRules;
  /** Jobs that run, then those that wait, each oldest first: a page of them. */
  open(page?: { after?: OpenMark; limit?: number }): OpenJob[];
  /** The queue in numbers; `oldestMs` is for how long the longest waiting job has waited. */
  queue(): { waiting: Map<ModelId, number>; running: number; oldestMs?: number };
  /** Hears of every job whose end is on disk. */
  follow(listener: (outcome: JobOutcome) => void): () => void;
};

export type JobsParts = {
  ledger: JobLedger;
  /** What the endpoint of a model takes, and the model as it is now. Throws what keeps a request out where there is none any more. */
  endpointOf: (submission: Pick<Submission, "model" | "endpoint">) => Pick<CatalogEntry, "model" | "input" | "words">;
  /** Further attempts granted to a job. */
  retries: number;
  /** Waiting jobs of all models together. */
  maxQueue: number;
  /** The pool that a model is in, with the waiting jobs that it may have. */
  poolOf?: (model: Pick<Model, "id">) => QueuePool | undefined;
  /** What a key wants for its output files where a submission says nothing. */
  lifecycleOf?: (key: KeyId) => Lifecycle | undefined;
};

export type QueuePool = { name: string; maxQueue: number };

export function createJobs(parts: JobsParts): Jobs {
  const { ledger, endpointOf, retries, maxQueue, poolOf = () => undefined, lifecycleOf = () => undefined } = parts;
  const { store, writes, waiting, watchers, clock } = ledger;

  const begun = ({ durable = true, isAnnounced = true }: Submission, { id, status }: Job) => {
    if (!durable || store.isHeld(id)) return undefined;
    return isAnnounced || status !== "queued" ? writes.committed() : writes.written();
  };
  const linesOf = (id: JobId) => store.logs(id).map((line): JobEvent => ({ type: "log", line }));
  /** What happened so far; of open jobs memory tells it. */
  const replay = (id: JobId): JobEvent[] => {
    const waits = waiting.get(id);
    if (waits) return [{ type: "queued", position: waiting.position(id) }, ...(waits.isBack ? linesOf(id) : [])];
    const attempt = ledger.attempts.get(id);
    if (attempt) {
      const { runner, lines, progress, partials } = attempt;
      const last: JobEvent[] = progress ? [{ type: "progress", ...progress }] : [];
      return [{ type: "started", runner }, ...(lines > 0 ? linesOf(id) : []), ...partials, ...last];
    }
    const row = store.row(id);
    return row ? [...linesOf(id), ...eventsOf(jobOf(row))] : [];
  };

  const { cancel, abandon } = createCancelling(ledger);
  const settledOrAbandoned = (id: JobId) =>
    settled(ledger, id).catch((error) => {
      abandon(id);
      throw error;
    });
  async function* watch(id: JobId, signal: AbortSignal, settle = (job: JobId) => settled(ledger, job)) {
    if (!isInHand(id)) await settle(id);
    yield* watchers.follow(id, () => replay(id), signal);
  }
  const isInHand = (id: JobId) => waiting.get(id) !== undefined || ledger.attempts.has(id);

  return {
    async submit(submission) {
      const { key } = submission;
      const asked = endpointOf(submission);
      // As it is now: its file may have been changed since the caller looked it up.
      const { model } = asked;
      ledger.accounts.requireModel(key, model);
      checkRoom({ ...submission, model }, { waiting, maxQueue, poolOf });
      const checked = check(submission, asked);
      const isDirect = !(submission.mayWait ?? !submission.rejectInvalid);
      const counted = !checked.failure && { input: asked.words?.toPipeline(checked.input) ?? checked.input };
      if (submission.durable !== false) ledger.room.require(key);
      const admission = ledger.accounts.admit({ model, key, isDirect, ...counted }, ledger.load);
      const wanted = lifecycleOf(key);
      const lifecycle = wanted && { lifecycle: wanted };
      const job = newJob(submission, { checked, now: clock.now(), retries });
      begin(ledger, { job, submission: { ...lifecycle, ...submission }, admission });
      if (job.status === "queued") ledger.queued({ ...job, ...hintOf(job.wishes), since: job.createdAt });
      await begun(submission, job);
      if (job.status !== "queued") ledger.tellFollowers(outcomeOf(job));
      return job;
    },
    find: (id) => {
      const row = store.row(id);
      return row && seenJob(row, clock.now());
    },
    position: (id) => waiting.position(id),
    logs: (id) => store.logs(id),
    watch: (id, signal) => watch(id, signal),
    attend: attending(ledger, (id, signal) => watch(id, signal, settledOrAbandoned)),
    async untilEnd(id, signal) {
      const ended = isInHand(id) ? undefined : await settledOrAbandoned(id);
      return ended && isFinished(ended) ? ended : await ledger.ends.next(id, signal);
    },
    giveUpWaiting: () => ledger.ends.giveUp(STOPPING).forEach(abandon),
    cancel,
    abandon,
    fileRules: createFileRules({ store, clock }),
    open: (page) => openJobs(store, page),
    queue: () => queueOf(ledger),
    follow: ledger.follow,
  };
}

const attending = ({ ends }: Pick<JobLedger, "ends">, watch: Jobs["watch"]): Jobs["attend"] =>
  async function* attend(id, signal, whole) {
    const givenUp = new AbortController();
    const waitNoMore = ends.await(id, (reason) => givenUp.abort(reason), whole);
    try {
      for await (const event of watch(id, AbortSignal.any([signal, givenUp.signal]))) {
        // Many take it for the last word and ask no further.
        if (event.type === "finished") waitNoMore();
        yield event;
      }
    } finally {
      waitNoMore();
    }
    givenUp.signal.throwIfAborted();
  };

function createCancelling(ledger: JobLedger): Pick<Jobs, "cancel" | "abandon"> {
  const { store, writes, waiting, abandoned, clock } = ledger;
  const cancel: Jobs["cancel"] = (id) => {
    if (writes.write(() => store.end(id, { from: "queued" }, { status: "cancelled", at: clock.now() }))) {
      ledger.ended(id);
      return "requested";
    }
    if (writes.write(() => store.requestCancel(id))) {
      ledger.notify({ type: "cancel", id });
      return "requested";
    }
    return store.row(id) ? "finished" : "unknown";
  };
  return {
    cancel,
    abandon(id) {
      abandoned.add(id);
      try {
        if (cancel(id) !== "requested") abandoned.forget(id);
      } catch (error) {
        waiting.remove(id);
        ledger.notify({ type: "cancel", id });
        ledger.notify({ type: "lost", reason: error instanceof Error ? error.message : String(error) });
      }
    },
  };
}

const STOPPING = new ForecourtError("unavailable", "The server stops before the request was done. Send it again.");

/** An end that is not yet on disk is not told. */
async function settled({ store, writes }: JobLedger, id: JobId): Promise<Job> {
  if (!store.row(id)) throw new ForecourtError("not_found", `There is no request ${id}.`);
  if (!store.isPassing(id)) await writes.committed();
  return jobOf(store.row(id) as JobRow); // jobs are not removed as they end
}

/** Of a job that is in no one's hands. */
function eventsOf(job: Job): JobEvent[] {
  if (isFinished(job)) return [{ type: "finished", job }];
  return job.status === "running" ? [{ type: "started", runner: job.runner }] : [{ type: "queued", position: 0 }];
}

function queueOf({ waiting, attempts, even }: Pick<JobLedger, "waiting" | "attempts" | "even">) {
  const models = waiting.models();
  const since = models.flatMap((model) => waiting.heads(model, 1).map((head) => head.since));
  return {
    waiting: new Map(models.map((model) => [model, waiting.count(model)])),
    // A workflow is carried out by its parts, which are counted themselves.
    running: [...attempts.values()].filter(({ job }) => !isComposite(job.model)).length,
    ...(since.length > 0 && { oldestMs: even.now() - Math.min(...since) }),
  };
}

/** Where a page ended. */
export type OpenMark = Pick<OpenJob, "status" | "createdAt" | "id">;

const OPEN_AT_ONCE = 1000;
const BEFORE_ALL = { createdAt: Number.MIN_SAFE_INTEGER, id: "" };

function openJobs(
  store: Pick<JobLedger["store"], "page">,
  { after, limit = OPEN_AT_ONCE }: { after?: OpenMark; limit?: number } = {},
): OpenJob[] {
  const start = (status: OpenStatus) => (after?.status === status ? after : BEFORE_ALL);
  const running = after?.status === "queued" ? [] : store.page({ status: "running", after: start("running"), limit });
  const left = limit - running.length;
  const waiting = left > 0 ? store.page({ status: "queued", after: start("queued"), limit: left }) : [];
  return [...running, ...waiting].map(openJobOf);
}

type Beginning = { job: Job; submission: Submission; admission: Admission };

/** Held in memory where nobody hears of it before its end. */
function begin(ledger: JobLedger, beginning: Beginning): void {
  const { store, accounts, writes } = ledger;
  const { job, submission, admission } = beginning;
  const { durable = true, isAnnounced = true, webhook } = submission;
  const row = { ...rowOf(job, submission), price: job.status === "queued" ? priceJson(admission.price) : null };
  const isHeld = durable && !isAnnounced && !webhook && job.status === "queued" && store.hold(row);
  if (isHeld) accounts.hold(job, admission);
  else writes.write(() => writeBeginning(ledger, { ...beginning, row }));
}

/** The accounts come last: they change memory too, which a later failure of this transaction would not undo. */
function writeBeginning(ledger: JobLedger, { job, submission, admission, row }: Beginning & { row: JobRow }): void {
  const { store, outbox, accounts } = ledger;
  const { webhook, durable = true } = submission;
  if (durable) store.insert(row);
  else store.insertPassing(row);
  if (webhook) outbox.announce(job, webhook);
  if (webhook && job.status === "failed") outbox.ended(job.id, job.finishedAt);
  if (job.status === "failed") accounts.end(failedAtOnce(job));
  else accounts.begin(job, admission);
}

type Room = { waiting: JobLedger["waiting"]; maxQueue: number; poolOf: NonNullable<JobsParts["poolOf"]> };

function checkRoom({ model, maxQueue }: Submission, box: Room): void {
  const limit = Math.min(model.limits.maxQueue, maxQueue ?? Number.POSITIVE_INFINITY);
  const waiting = box.waiting.count(asId<ModelId>(model.id));
  if (waiting >= limit) throw queueFull(`${waiting} requests already wait for ${model.id}, and ${limit} may`);
  if (box.waiting.size >= box.maxQueue)
    throw queueFull(`${box.waiting.size} requests already wait on this box, and ${box.maxQueue} may`);
  const pool = box.poolOf(model);
  if (!pool) return;
  const isInPool = (id: ModelId) => box.poolOf({ id })?.name === pool.name;
  const inPool = box.waiting
    .models()
    .filter(isInPool)
    .reduce((sum, id) => sum + box.waiting.count(id), 0);
  if (inPool >= pool.maxQueue)
    throw queueFull(`${inPool} requests already wait for the pool ${pool.name}, and ${pool.maxQueue} may`);
}

const queueFull = (why: string) => new ForecourtError("queue_full", `The queue is full: ${why}. Try again later.`);

type Asked = ReturnType<JobsParts["endpointOf"]>;

function check({ input, schema, rejectInvalid }: Submission, asked: Asked): Checked {
  try {
    return { input: checkedInput({ ...asked, ...(schema && { input: schema }) }, input) };
  } catch (error) {
    if (rejectInvalid || !(error instanceof ForecourtError)) throw error;
    return { input: isObject(input) ? input : {}, failure: error.toFailure() };
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
