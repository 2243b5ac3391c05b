// `bun run chaos [--seconds N]`: everything that goes wrong on a box, at random, under load; then what is left is counted.
// Prints jobs lost (0), done or billed twice (0), budget violations (0), webhooks untold (0) and how long recoveries took. Exit
// code 1 unless all hold.
import { Database } from "bun:sqlite";
import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { readBudgetBooks } from "../support/budget-books.ts";
import { forecourt, freePort, startServer, until } from "../support/live-server.ts";
import { writePricedEcho } from "../support/priced-echo.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { mountSmallDisk } from "../support/small-disk.ts";
import { startReceiver } from "../support/webhook-receiver.ts";
import { startLoad } from "./load.ts";

export type ChaosReport = {
  seed: number;
  seconds: number;
  accepted: number;
  faults: Record<string, number>;
  /** Kinds of fault that this machine does not allow, with the reason. */
  skipped: string[];
  jobsLost: number;
  billedTwice: number;
  /** Keys whose budgets were used up, and requests that were refused for it: without any the next line would say nothing. */
  budgetsUsedUp: number;
  budgetRefusals: number;
  /** Budgets overrun, rows missing or too many, sums that are not those of their rows: at every death and at the end. */
  budgetViolations: string[];
  reservationsLeft: number;
  webhooksUntold: number;
  integrity: string;
  /** From a death of the server to /ready, in milliseconds. */
  recoveryMs: { median: number; longest: number };
};

const ROOM_MB = 96;
const HOUR = 3_600_000;

export async function runChaos({
  seconds,
  seed,
  say,
}: {
  seconds: number;
  seed: number;
  say: (line: string) => void;
}): Promise<ChaosReport> {
  const random = seededRandom(seed);
  const folder = mkdtempSync(join(tmpdir(), "forecourt-chaos-"));
  const disk = mountSmallDisk(join(folder, "disk"), ROOM_MB);
  const data = join(disk.path, "data");
  mkdirSync(data, { mode: 0o700 });
  writePricedEcho(data);
  const clockFile = join(folder, "clock");
  writeFileSync(clockFile, "0");
  const receiver = failingReceiver();
  const faults: Record<string, number> = {};
  const recoveries: number[] = [];
  const violations = new Set<string>();
  const port = await freePort();
  const start = () =>
    startServer({
      data,
      port,
      preload: resolve(import.meta.dir, "moved-clock.ts"),
      env: {
        FORECOURT_CHAOS_CLOCK: clockFile,
        FORECOURT_JOBS_RETRIES: "100",
        FORECOURT_FETCH_ALLOW: "127.0.0.0/8",
        FORECOURT_WEBHOOKS_RETRY_SECONDS: "0.2",
        FORECOURT_LOG_LEVEL: "warn",
      },
    });
  let server = await start();
  const load = startLoad({ origin: server.origin, key: server.key, hook: `${receiver.origin}/hook` });

  const kill = async () => {
    await server.kill("SIGKILL");
    for (const each of violationsIn(data)) violations.add(each);
  };
  const restart = async () => {
    await kill();
    const before = performance.now();
    server = await start();
    recoveries.push(performance.now() - before);
  };
  const actions: Record<string, () => Promise<void>> = {
    "server killed": restart,
    "runner killed": async () => {
      const [runner] = await server.runnerPids();
      if (runner !== undefined) process.kill(runner, "SIGKILL");
    },
    "log's end spoilt": async () => {
      await kill();
      const log = join(data, "forecourt.sqlite-wal");
      if (existsSync(log))
        appendFileSync(log, Buffer.from(Array.from({ length: 5000 }, () => Math.floor(random() * 256))));
      server = await start();
    },
    "clock moved": async () => writeFileSync(clockFile, String(Math.round((random() * 2 - 1) * HOUR))),
    "receiver down": async () => {
      receiver.isDown = true;
      await Bun.sleep(500);
      receiver.isDown = false;
    },
    ...(disk.isOwn && {
      "disk full": async () => {
        disk.fill();
        await Bun.sleep(1_000);
        disk.empty();
      },
      "directory read-only": async () => {
        await kill();
        remount(disk.path, "ro");
        expectRefusal(data);
        remount(disk.path, "rw");
        server = await start();
      },
    }),
  };
  const names = Object.keys(actions);
  const end = performance.now() + seconds * 1000;
  // Each kind once, then at random.
  for (let turn = 0; performance.now() < end || turn < names.length; turn++) {
    const name = names[turn < names.length ? turn : Math.floor(random() * names.length)] ?? "server killed";
    say(`${name} (${load.accepted.size} accepted)`);
    await actions[name]?.();
    faults[name] = (faults[name] ?? 0) + 1;
    await Bun.sleep(200 + random() * 1200); // the moment of the next blow, not a signal
  }

  await load.stop();
  // Deliveries that were put off while the clock was wrong come due.
  writeFileSync(clockFile, String(3 * HOUR));
  await restart();
  const look = () => countUp(data, { accepted: load.accepted, told: receiver.told });
  await until(async () => look().open === 0 && look().untold === 0, "every job has ended and is told", 120_000).catch(
    () => {},
  );
  await server.kill("SIGTERM");
  const left = look();
  for (const each of violationsIn(data)) violations.add(each);
  disk.unmount();
  await receiver[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
  recoveries.sort((a, b) => a - b);
  return {
    seed,
    seconds,
    accepted: load.accepted.size,
    faults,
    skipped: disk.isOwn ? [] : [`disk full, directory read-only: ${disk.why}`],
    jobsLost: left.lost + left.open,
    billedTwice: left.twice,
    budgetsUsedUp: load.usedUp(),
    budgetRefusals: load.refused(),
    budgetViolations: [...violations],
    reservationsLeft: left.reservations,
    webhooksUntold: left.untold,
    integrity: left.integrity,
    recoveryMs: {
      median: Math.round(recoveries[recoveries.length >> 1] ?? 0),
      longest: Math.round(recoveries.at(-1) ?? 0),
    },
  };
}

function failingReceiver() {
  const told = new Set<string>();
  const receiver = startReceiver(({ headers }) => {
    if (state.isDown) return new Response("down", { status: 503 });
    told.add(headers.get("x-fal-webhook-request-id") ?? "");
    return new Response(null, { status: 204 });
  });
  const state = { ...receiver, told, isDown: false };
  return state;
}

/** What is wrong in the ledger beyond rows of one job, which are counted apart. */
function violationsIn(data: string): string[] {
  const { overrun, rowsMissing, rowsTooMany, sumsWrong } = readBudgetBooks(data);
  return [
    ...overrun,
    ...(rowsMissing > 0 ? [`${rowsMissing} jobs are over without a row`] : []),
    ...(rowsTooMany > 0 ? [`${rowsTooMany} open jobs have a row`] : []),
    ...sumsWrong,
  ];
}

function countUp(data: string, { accepted, told }: { accepted: ReadonlySet<string>; told: ReadonlySet<string> }) {
  using sqlite = new Database(join(data, "forecourt.sqlite"), { readonly: true });
  const column = (sql: string) => sqlite.query(sql).values().flat();
  const ended = new Set(column("SELECT id FROM job WHERE status IN ('done', 'failed', 'cancelled')"));
  const known = new Set(column("SELECT id FROM job"));
  return {
    lost: [...accepted].filter((id) => !known.has(id)).length,
    open: known.size - ended.size,
    twice: Number(column("SELECT count(*) FROM (SELECT job FROM usage GROUP BY job HAVING count(*) > 1)")[0]),
    reservations: Number(
      column(
        "SELECT count(*) FROM reservation WHERE job NOT IN (SELECT id FROM job WHERE status IN ('queued', 'running'))",
      )[0],
    ),
    untold: [...accepted].filter((id) => ended.has(id) && !told.has(id)).length,
    integrity: String(column("PRAGMA integrity_check")[0]),
  };
}

function remount(path: string, mode: "ro" | "rw"): void {
  const { status, stderr } = spawnSync("mount", ["-o", `remount,${mode}`, path]);
  if (status !== 0) throw new Error(`remount ${mode}: ${stderr}`);
}

/** A server that cannot write says so in a sentence and ends; on a busy machine it may need a while. */
function expectRefusal(data: string): void {
  const words = [...forecourt.slice(1), "serve", "--data", data, "--port", "0", "--device", "cpu"];
  const { status, stdout, stderr } = spawnSync(forecourt[0] ?? "", words, { timeout: 120_000, encoding: "utf8" });
  if (status === 1) return;
  throw new Error(
    `with a read-only directory the server ended with ${status ?? "nothing in 120 s"}:\n${stdout}${stderr}`,
  );
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { seconds: { type: "string", default: "600" }, seed: { type: "string" } } });
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  const report = await runChaos({
    seconds: Number(values.seconds),
    seed,
    say: (line) => void process.stderr.write(`${line}\n`),
  });
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  const { jobsLost, billedTwice, budgetViolations, reservationsLeft, webhooksUntold, integrity } = report;
  const wrong = jobsLost + billedTwice + budgetViolations.length + reservationsLeft + webhooksUntold;
  process.exit(wrong === 0 && integrity === "ok" ? 0 : 1);
}
