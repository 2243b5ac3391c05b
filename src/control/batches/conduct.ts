// One batch from where it stands to its end: its file is read, its lines are carried out some at a time, and what became of
// them is written to files. Each step is on record, so that it goes on from there after the end of this process.
import type { Clock, Timers } from "../../core/clock.ts";
import { ForecourtError } from "../../core/errors.ts";
import { asId, type JobId } from "../../core/ids.ts";
import { milliseconds } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import type { Jobs } from "../jobs/jobs.ts";
import type { Key } from "../keys/key.ts";
import { endOf } from "../keys/live-key.ts";
import type { Acl } from "../storage/acl.ts";
import type { Uploads } from "../storage/uploads.ts";
import type { Batch, BatchFace, BatchLine } from "./batch.ts";
import type { BatchStore, LineEnd, LineRow } from "./batch-store.ts";
import type { Holding } from "./holding.ts";
import { lineJobs } from "./line-jobs.ts";
import { current, failed, validate } from "./validate.ts";

export type ConductParts = {
  store: BatchStore;
  database: Database;
  holding: Holding;
  uploads: Pick<Uploads, "ofToken" | "begin" | "write">;
  jobs: Jobs;
  findKey(id: Key["id"]): Key | undefined;
  clock: Clock;
  timers: Timers;
  /** Of a line. */
  maxBytes: number;
};

export type Signals = {
  /** The box stops: all stays as it is. */
  stop: AbortSignal;
  /** The batch was cancelled, or its time is over: what runs is cancelled, nothing else begins, and what there is is written. */
  ending: AbortSignal;
};

/** Lines of a batch that are carried out side by side: enough for what runs together in a runner, on several devices. */
const LINES_AT_ONCE = 16;
/** Looked up, or written, in one go. */
const PAGE = 100;

const PRIVATE: Acl = { default: "hide", rules: [] };

/** Resolves when it has ended, or the box stops. Throws what keeps its files from being written, for another try. */
export async function conduct(parts: ConductParts, face: BatchFace, id: string, signals: Signals): Promise<void> {
  const { stop, ending } = signals;
  const either = AbortSignal.any([stop, ending]);
  const batch = () => {
    const found = current(parts, { id });
    if (!found) throw new Error(`batch ${id} is gone`);
    return found;
  };
  if (batch().status === "validating" && !either.aborted) {
    const found = await validate(parts, batch(), face, either).catch((error: unknown) => {
      if (either.aborted) return undefined;
      if (error instanceof ForecourtError && error.code === "room_full") return failed(error.code, error.message);
      throw error;
    });
    if (found) await begin(parts, batch(), found);
  }
  if (batch().status === "in_progress" && !either.aborted) await runLines(parts, face, batch(), signals);
  if (stop.aborted || batch().endedAt !== null) return;
  for (const job of parts.store.openJobs(id)) parts.jobs.cancel(asId<JobId>(job));
  await finish(parts, face, batch());
}

async function begin(parts: ConductParts, batch: Batch, found: Awaited<ReturnType<typeof validate>>): Promise<void> {
  const { store, database, clock, holding } = parts;
  const { rows: total, model, problems } = found;
  if (problems.length > 0) await holding.removeLines(batch);
  database.write(() => {
    // A cancel may have come meanwhile.
    if (store.find(batch.id)?.status !== "validating") return;
    if (problems.length === 0) store.change(batch.id, { status: "in_progress", begunAt: clock.now(), total, model });
    else store.change(batch.id, { status: "failed", endedAt: clock.now(), problems: JSON.stringify(problems) });
  });
  await database.committed();
}

async function runLines(parts: ConductParts, face: BatchFace, batch: Batch, signals: Signals): Promise<void> {
  const broken = new AbortController();
  const halt = AbortSignal.any([signals.stop, signals.ending, broken.signal]);
  let [page, after]: [LineRow[], number] = [[], 0];
  const next = () => {
    if (page.length === 0) page = parts.store.lines(batch.id, { after, limit: PAGE });
    const line = page.shift();
    after = line?.line ?? after;
    return line;
  };
  const worker = async () => {
    for (let line = next(); line && !halt.aborted; line = next())
      await runLine(parts, face, { batch, row: line, signals });
  };
  const cancelOpen = () => {
    for (const job of parts.store.openJobs(batch.id)) parts.jobs.cancel(asId<JobId>(job));
  };
  signals.ending.addEventListener("abort", cancelOpen, { once: true });
  const workers = Array.from({ length: LINES_AT_ONCE }, () =>
    worker().catch((error: unknown) => {
      broken.abort();
      throw error;
    }),
  );
  const results = await Promise.allSettled(workers);
  signals.ending.removeEventListener("abort", cancelOpen);
  const failure = results.find((result) => result.status === "rejected");
  if (failure) throw failure.reason;
}

type Running = { batch: Batch; row: LineRow; signals: Signals };

async function runLine(parts: ConductParts, face: BatchFace, { batch, row, signals }: Running): Promise<void> {
  const line = lineOf(batch, row);
  const settle = (end: LineEnd) => parts.database.write(() => parts.holding.endLine(batch, row.line, end));
  const refuse = (code: string, message: string) => {
    settle({ isDone: false, result: face.refuse(line, { code, message }) });
  };
  const caller = parts.findKey(batch.key);
  const ended = () => endOf(parts.findKey(batch.key), parts.clock.now());
  const requireKey = () => {
    if (ended()) throw new ForecourtError("unauthenticated", `The key of this batch ${ended()}.`);
  };
  if (!caller || ended()) return refuse("invalid_api_key", `The key of this batch ${ended()}.`);
  const file = parts.uploads.ofToken(batch.input);
  if (!file) return refuse("file_not_found", "The input file was deleted before this request was carried out.");
  const text = await new Response(await file.read({ start: row.start, end: row.end })).text();
  const jobs = lineJobs({ ...parts, ...signals, requireKey }, { batch: batch.id, line: row.line });
  const end = await face.run({ ...line, text, caller, jobs, stop: signals.stop });
  // What a stop or an end cut short is carried out again, or told as what it is.
  const isCut = signals.stop.aborted || signals.ending.aborted;
  if (end.isDone || !isCut) settle(end);
}

const lineOf = (batch: Batch, { line, customId }: LineRow): BatchLine => ({ batch, number: line, customId });

async function finish(parts: ConductParts, face: BatchFace, batch: Batch): Promise<void> {
  const { store, database, clock, holding } = parts;
  const { id } = batch;
  const isCancelled = batch.status === "cancelling";
  if (batch.finalizingAt === null && !isCancelled) {
    database.write(() => store.change(id, { status: "finalizing", finalizingAt: clock.now() }));
    await database.committed();
  }
  const isComplete = batch.begunAt !== null && batch.done + batch.failed === batch.total;
  const output = batch.done === 0 ? null : await writeFile(parts, batch, { part: "output", isDone: true });
  const expired = (row: LineRow) =>
    face.refuse(lineOf(batch, row), {
      code: "batch_expired",
      message: "This request could not be executed before the completion window expired.",
    });
  const others = !isComplete && !isCancelled ? expired : undefined;
  const hasErrors = batch.failed > 0 || others !== undefined;
  const errors = hasErrors ? await writeFile(parts, batch, { part: "errors", isDone: false, others }) : null;
  const status = isCancelled ? "cancelled" : isComplete ? "completed" : "expired";
  database.write(() => store.change(id, { status, endedAt: clock.now(), output, errors }));
  await database.committed();
  await holding.removeLines(batch);
}

type Wanted = { part: "output" | "errors"; isDone: boolean; others?: ((row: LineRow) => string) | undefined };

/** The token of its file; one that was written before the end of an earlier process is taken as it is. */
async function writeFile(parts: ConductParts, batch: Batch, wanted: Wanted): Promise<string> {
  const { store, database, uploads } = parts;
  const { part } = wanted;
  const known = batch[part];
  if (known !== null && uploads.ofToken(known)) return known;
  const file = await uploads.begin({
    ...{ key: batch.key, name: `${batch.id}_${part}.jsonl`, contentType: "application/jsonl", purpose: "batch_output" },
    lifecycle: { acl: PRIVATE, ...(batch.keepFor !== null && { keepFor: milliseconds(batch.keepFor) }) },
  });
  database.write(() => store.change(batch.id, { [part]: file.token }));
  await uploads.write(file.secret, resultsOf(parts, batch, wanted));
  return file.token;
}

async function* resultsOf({ store }: ConductParts, { id }: Batch, { isDone, others }: Wanted) {
  const encode = (rows: string[]) => new TextEncoder().encode(rows.map((row) => `${row}\n`).join(""));
  const pages = function* (wanted: { isDone?: boolean }) {
    for (let after = 0; ; ) {
      const rows = store.lines(id, { ...wanted, after, limit: PAGE });
      yield rows;
      if (rows.length < PAGE) return;
      after = rows.at(-1)?.line ?? after;
    }
  };
  for (const rows of pages({ isDone })) yield encode(rows.map(({ result }) => result ?? ""));
  if (others) for (const rows of pages({})) yield encode(rows.map(others));
}
