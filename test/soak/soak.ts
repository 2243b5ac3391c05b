// `bun run soak [--minutes N]`: a mixed load on the program for a long time, and whether anything grows that should not: memory,
// descriptors, threads, the database, files. Prints one JSON; exit code 1 when an answer was unexpected, a measure grows, or the ledger
// does not add up. With `--bucket` uploads and outputs lie in an S3 store that is stopped, silent, slow and full in turn.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type BudgetBooks, readBudgetBooks } from "../support/budget-books.ts";
import { type LiveServer, startServer, until } from "../support/live-server.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { startReceiver } from "../support/webhook-receiver.ts";
import { startSoakBucket } from "./bucket.ts";
import { ask, type Caller, json } from "./caller.ts";
import { startSoakLoad } from "./load.ts";
import { type Measures, measure } from "./measures.ts";
import { createTally, type Minute } from "./tally.ts";
import { judge, quantile, type Verdict } from "./trend.ts";

export type SoakReport = {
  seed: number;
  minutes: number;
  /** Of scenarios of the load, by name. */
  done: Record<string, number>;
  answers: Record<string, number>;
  unexpected: { total: number; first: string[] };
  /** Models that were loaded into a runner, and jobs that ended. */
  loads: number;
  jobs: number;
  measures: Partial<Record<keyof Measures, Verdict>>;
  /** The median of each minute, to look at by eye. */
  byMinute: Record<keyof Measures, number[]>;
  databaseBytesAJob: number;
  latency: Minute[];
  /** Before the load, after its first round, and when all was quiet again at the end. */
  quiet: { before: Measures; after: Measures };
  webhooksUntold: number;
  books: BudgetBooks;
  reservationsLeft: number;
  /** Lines of the server's log that tell of warnings and errors, without their times, with how often each came. */
  log: Record<string, number>;
  /** When the machine did not let this program run, and for how long: time that is not counted. */
  stoodStill: { second: number; seconds: number }[];
  verdict: string[];
};

/** Never unloaded, so that what its process leaks stays to be seen. */
const PINNED = "forecourt/demo-llama";
/** Room for the pinned model, echo and the drawing one, and not for all others. */
const BUDGET_MB = 650;
const EVERY_MS = 5_000;

/** By the hour, and in all where the time was short. Jobs are kept, so the database grows; its limit is by job. */
const LIMITS: Partial<Record<keyof Measures, { limitPerHour: number; slack: number }>> = {
  serverMb: { limitPerHour: 40, slack: 60 },
  heapMb: { limitPerHour: 15, slack: 40 },
  serverFds: { limitPerHour: 6, slack: 6 },
  serverThreads: { limitPerHour: 2, slack: 4 },
  runners: { limitPerHour: 1, slack: 2 },
  pinnedRunnerMb: { limitPerHour: 20, slack: 30 },
  pinnedRunnerFds: { limitPerHour: 2, slack: 4 },
  walMb: { limitPerHour: 5, slack: 40 }, // it grows to its 32 MB, and stays
  files: { limitPerHour: 300, slack: 150 },
  otherFiles: { limitPerHour: 5, slack: 10 },
};
const BYTES_A_JOB = 8_000;
/** Of fewer, the tables themselves are what the database grows by. */
const MANY_JOBS = 2_000;

export type SoakOptions = { minutes: number; seed: number; inBucket?: boolean; say: (line: string) => void };

export async function runSoak({ minutes, seed, inBucket = false, say }: SoakOptions) {
  const data = mkdtempSync(join(tmpdir(), "forecourt-soak-"));
  writeSettings(data);
  await using bucket = inBucket ? await startSoakBucket(say) : undefined;
  const tally = createTally({
    isExcused: (text) => bucket?.isTroubled() === true && text.includes("file store s3://"),
  });
  const told = new Set<string>();
  await using receiver = startReceiver(({ headers }) => {
    told.add(headers.get("x-fal-webhook-request-id") ?? "");
    receiver.received.length = 0; // kept by nobody here
    return new Response(null, { status: 204 });
  });
  await using server = await startServer({ data, ...(bucket && { env: bucket.env }) });
  const caller = await callerOf(server, { hook: `${receiver.origin}/hook`, random: seededRandom(seed), tally });
  await ask(caller, "/v1/chat/completions", {
    body: { model: PINNED, messages: [{ role: "user", content: "hello" }] },
  });
  const pinned = await pinnedPid(caller);
  const look = () => measure({ server, pinned });
  const before = await look();
  const load = startSoakLoad(caller, bucket?.scenarios);
  const troubles = bucket?.suffer(minutes);
  const { samples, stoodStill } = await watch({ minutes, look, say: () => say(progress(tally, load.done())) });
  await troubles;
  await load.stop();
  await until(async () => [...caller.hooked].every((id) => told.has(id)), "webhooks arrive", 60_000).catch(() => {});
  await until(async () => (await openJobs(caller)) === 0, "jobs end", 120_000).catch((error) =>
    tally.wrong("queue", String(error)),
  );
  const bucketComplaints = (await bucket?.complaints(caller, data)) ?? [];
  const after = await look();
  const { jobs, loads, reservationsLeft } = await counted(caller, data);
  const books = readBudgetBooks(data);
  const untold = [...caller.hooked].filter((id) => !told.has(id)).length;
  const databaseBytesAJob = Math.round((1e6 * (after.databaseMb - before.databaseMb)) / jobs);
  const report: SoakReport = {
    ...{ seed, minutes, done: load.done(), answers: tally.answers(), unexpected: tally.unexpected(), loads, jobs },
    ...{ measures: verdictsOn(samples), byMinute: byMinute(samples) },
    ...{ databaseBytesAJob, latency: tally.latency(), quiet: { before, after }, webhooksUntold: untold, books },
    ...{ reservationsLeft, log: linesOf(server.output()), stoodStill, verdict: [] },
  };
  rmSync(data, { recursive: true, force: true });
  return { ...report, verdict: [...complaintsOf(report), ...bucketComplaints] };
}

function writeSettings(data: string): void {
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const settings = `threads: 1
log: { level: warn }
memory: { budget_mb: ${BUDGET_MB}, pinned: ["${PINNED}"], reload: false }
fetch: { allow: [127.0.0.0/8] }
`;
  writeFileSync(join(data, "appliance.yaml"), settings, { mode: 0o600 });
}

/** Calls go with a key for calls, so that the ledger has an account to add up. */
async function callerOf(
  { origin, key: admin }: LiveServer,
  rest: Pick<Caller, "hook" | "random" | "tally">,
): Promise<Caller> {
  const caller = { ...rest, origin, admin, key: admin, hooked: new Set<string>() };
  const wish = { name: "soak", team: "soak", budgets: ["100000000 requests/day"] };
  const { key } = await json<{ key: string }>(await ask(caller, "/admin/v1/keys", { body: wish }));
  return { ...caller, key };
}

type Status = { runners: { model: string; pid: number | null }[]; queue: unknown[] };
const statusOf = async (caller: Caller) => json<Status>(await ask(caller, "/admin/v1/status", { key: caller.admin }));
const openJobs = async (caller: Caller) => (await statusOf(caller)).queue.length;

async function pinnedPid(caller: Caller): Promise<number> {
  const pid = (await statusOf(caller)).runners.find(({ model }) => model === PINNED)?.pid;
  if (pid == null) throw new Error(`${PINNED} is not loaded although it is pinned`);
  return pid;
}

type Watched = { seconds: number; measures: Measures };

async function watch({ minutes, look, say }: { minutes: number; look: () => Promise<Measures>; say: () => void }) {
  const samples: Watched[] = [];
  const stoodStill: SoakReport["stoodStill"] = [];
  const pause = Math.min(EVERY_MS, minutes * 1500);
  for (let seconds = 0; seconds < minutes * 60; ) {
    const before = performance.now();
    await Bun.sleep(pause); // the pace of the samples
    const measures = await look();
    const took = (performance.now() - before) / 1000;
    const isLate = took > (4 * EVERY_MS) / 1000;
    if (isLate) stoodStill.push({ second: Math.round(seconds), seconds: Math.round(took) });
    const next = seconds + (isLate ? pause / 1000 : took);
    if (Math.floor(next / 60) > Math.floor(seconds / 60)) say();
    seconds = next;
    samples.push({ seconds, measures });
  }
  return { samples, stoodStill };
}

const verdictsOn = (samples: Watched[]): SoakReport["measures"] =>
  Object.fromEntries(
    (Object.keys(LIMITS) as (keyof Measures)[]).flatMap((name) => {
      const limit = LIMITS[name];
      const values = samples.map(({ seconds, measures }) => ({ seconds, value: measures[name] }));
      return limit ? [[name, judge(values, limit)]] : [];
    }),
  );

function byMinute(samples: Watched[]): SoakReport["byMinute"] {
  const minutes = Object.values(Object.groupBy(samples, ({ seconds }) => Math.floor(seconds / 60)));
  const medians = (name: keyof Measures) =>
    minutes.map((part = []) =>
      quantile(
        part.map(({ measures }) => Math.round(measures[name] * 10) / 10),
        0.5,
      ),
    );
  const names = Object.keys(samples[0]?.measures ?? {}) as (keyof Measures)[];
  return Object.fromEntries(names.map((name) => [name, medians(name)])) as SoakReport["byMinute"];
}

async function counted(caller: Caller, data: string) {
  const text = await (await ask(caller, "/metrics", { key: caller.admin })).text();
  const sum = (name: string) =>
    [...text.matchAll(new RegExp(`^${name}(?:{.*})? (\\d+)$`, "gm"))].reduce(
      (all, [, count]) => all + Number(count),
      0,
    );
  const { Database } = await import("bun:sqlite");
  using sqlite = new Database(join(data, "forecourt.sqlite"), { readonly: true });
  return {
    jobs: sum("forecourt_jobs_total"),
    loads: sum("forecourt_model_load_seconds_count"),
    reservationsLeft: Number(sqlite.query("SELECT count(*) FROM reservation").values()[0]?.[0]),
  };
}

function linesOf(output: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const line of output.split("\n").filter((each) => each.startsWith("{"))) {
    const { level, message } = JSON.parse(line) as { level: string; message: string };
    const name = `${level}: ${message}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function progress(tally: ReturnType<typeof createTally>, done: Record<string, number>): string {
  const scenarios = Object.values(done).reduce((sum, each) => sum + each, 0);
  const { minute, p50, p99 } = tally.latency().at(-1) ?? { minute: 0, p50: 0, p99: 0 };
  return `minute ${minute}: ${scenarios} scenarios, ${tally.unexpected().total} unexpected; echo p50 ${p50} ms, p99 ${p99} ms`;
}

/** What is wrong, in words; empty when all is well. */
function complaintsOf(report: SoakReport): string[] {
  const { unexpected, measures, books, quiet, done } = report;
  const entries = Object.entries(measures) as [keyof Measures, Verdict][];
  const { overrun, sumsWrong, ...counts } = books;
  const leftOver = ownFds(quiet.after) - ownFds(quiet.before);
  return [
    ...(unexpected.total > 0 ? [`${unexpected.total} unexpected answers, first ${unexpected.first[0]}`] : []),
    ...entries.flatMap(([name, { isSteady, perHour, limitPerHour }]) =>
      isSteady ? [] : [`${name} grows by ${perHour} an hour, more than ${limitPerHour}`],
    ),
    ...(leftOver > FDS_LEFT ? [`${leftOver} descriptors of the server are left after the load`] : []),
    ...(report.jobs > MANY_JOBS && report.databaseBytesAJob > BYTES_A_JOB
      ? [`the database grows by ${report.databaseBytesAJob} bytes a job`]
      : []),
    ...(report.webhooksUntold > 0 ? [`${report.webhooksUntold} webhooks did not come`] : []),
    ...(report.reservationsLeft > 0 ? [`${report.reservationsLeft} reservations are left`] : []),
    ...[...overrun, ...sumsWrong],
    ...Object.entries(counts).flatMap(([name, count]) => (count > 0 ? [`${name}: ${count}`] : [])),
    ...Object.entries(report.log).flatMap(([line, count]) =>
      line.startsWith("error") ? [`log: ${count} x ${line}`] : [],
    ),
    ...Object.entries(done).flatMap(([name, count]) => (count === 0 ? [`no ${name} came to its end`] : [])),
  ];
}

/** Connections that the server keeps for a while. */
const FDS_LEFT = 8;
/** Beside the pipes to its runners. */
const ownFds = ({ serverFds, runners }: Measures) => serverFds - 3 * runners;

if (import.meta.main) {
  const options = {
    minutes: { type: "string", default: "45" },
    seed: { type: "string" },
    bucket: { type: "boolean" },
  } as const;
  const { values } = parseArgs({ options });
  const report = await runSoak({
    minutes: Number(values.minutes),
    seed: Number(values.seed ?? Date.now() % 1_000_000),
    inBucket: values.bucket === true,
    say: (line) => void process.stderr.write(`${line}\n`),
  });
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  process.exit(report.verdict.length === 0 ? 0 : 1);
}
