// Budgets cannot overrun on a real server that is really killed: fifty clients race for what is left while it dies and
// comes back, and the ledger is counted at every death and at the end.
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { readBudgetBooks, soundBooks } from "../support/budget-books.ts";
import { freePort, type LiveServer, startServer, until } from "../support/live-server.ts";
import { PRICED_ECHO, writePricedEcho } from "../support/priced-echo.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { testFolder } from "../support/test-folder.ts";

const SCHEDULES = Number(process.env.OVERRUN_KILLED_SCHEDULES ?? 4);
const KILLS = 2;
const CLIENTS = 50;
const ATTEMPTS = 3;
const data = testFolder("overrun");

type Seen = { accepted: string[]; refused: number; torn: number };

const post = (server: LiveServer, path: string, { key = server.key, method = "POST", body = {} } = {}) =>
  fetch(`${server.origin}${path}`, {
    method,
    headers: { authorization: `Key ${key}`, "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });

/** Two keys of a team: each has a budget of its own, and both together have one that is smaller than their sum. */
async function makeKeys(server: LiveServer, schedule: number, random: () => number): Promise<string[]> {
  const team = `team-${schedule}`;
  const requests = 10 + Math.floor(random() * 25);
  const cents = 20 + 2 * Math.floor(random() * 20);
  await post(server, `/admin/v1/limits/team/${team}`, {
    method: "PUT",
    body: { budgets: [`${requests + cents / 2 - 4} requests/month`] },
  });
  const budgets = [[`${requests} requests/month`], [`${(cents / 100).toFixed(2)} USD/month`, "1000 requests/month"]];
  return await Promise.all(
    budgets.map(async (each, at) => {
      const answer = await post(server, "/admin/v1/keys", { body: { name: `key-${at}`, team, budgets: each } });
      return ((await answer.json()) as { key: string }).key;
    }),
  );
}

/** Submits some times; a torn call may or may not have come in, as for any client. Now and then it cancels what it asked for. */
async function race(
  server: () => Promise<LiveServer>,
  keys: string[],
  { seen, random }: { seen: Seen; random: () => number },
) {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const key = keys[random() < 0.5 ? 0 : 1] ?? "";
    const path = `/queue/${PRICED_ECHO}`;
    const to = await server();
    const answer = await post(to, path, { key, body: { prompt: "x", steps: 2, step_ms: 5 } }).catch(() => undefined);
    if (!answer) {
      seen.torn++;
      continue;
    }
    const said = (await answer.json().catch(() => ({}))) as { request_id?: string; detail?: string };
    if (answer.status === 403 && said.detail?.includes("Exhausted balance")) seen.refused++;
    else if (answer.ok && said.request_id) seen.accepted.push(said.request_id);
    else if (answer.ok || answer.status === 503) seen.torn++;
    else throw new Error(`${answer.status}: ${JSON.stringify(said)}`);
    if (said.request_id && random() < 0.2)
      await post(to, `${path}/requests/${said.request_id}/cancel`, { key, method: "PUT" }).catch(() => undefined);
  }
}

test(
  `in ${SCHEDULES} schedules of ${CLIENTS} clients each, with the server killed under them, no budget overruns and nothing leaks`,
  async () => {
    const seed = Number(process.env.FORECOURT_CHAOS_SEED ?? Date.now() % 1_000_000);
    const random = seededRandom(seed);
    writePricedEcho(data);
    const port = await freePort();
    const start = () => startServer({ data, port, env: { FORECOURT_JOBS_RETRIES: "30", FORECOURT_LOG_LEVEL: "warn" } });
    let server = start();
    const known: string[] = [];
    const all = { accepted: 0, refused: 0, torn: 0 };
    for (let schedule = 0; schedule < SCHEDULES; schedule++) {
      const keys = await makeKeys(await server, schedule, random);
      const seen: Seen = { accepted: [], refused: 0, torn: 0 };
      const clients = Promise.all(Array.from({ length: CLIENTS }, () => race(() => server, keys, { seen, random })));
      for (let kills = 0; kills < KILLS; kills++) {
        await Bun.sleep(10 + random() * 150); // the moment of the blow, not a signal
        const dying = await server;
        const next = Promise.withResolvers<LiveServer>();
        server = next.promise;
        await dying.kill("SIGKILL");
        expect([seed, schedule, readBudgetBooks(data)]).toEqual([seed, schedule, soundBooks]);
        start().then(next.resolve, next.reject);
        await server;
      }
      await clients;
      all.accepted += seen.accepted.length;
      all.refused += seen.refused;
      all.torn += seen.torn;
      known.push(...seen.accepted);
    }
    await using last = await server;
    const openJobs = async () => {
      const answer = await fetch(`${last.origin}/admin/v1/status`, { headers: { authorization: `Key ${last.key}` } });
      return ((await answer.json()) as { queue: unknown[] }).queue.length;
    };
    await until(async () => (await openJobs()) === 0, `all jobs have ended (seed ${seed})\n${last.output()}`, 90_000);
    await last.kill("SIGTERM");
    expect([seed, readBudgetBooks(data)]).toEqual([seed, soundBooks]);
    expect([seed, lostOf(known)]).toEqual([seed, []]);
    // Races in which nothing happened would prove nothing.
    expect(all.accepted).toBeGreaterThan(SCHEDULES * 10);
    expect(all.refused).toBeGreaterThan(SCHEDULES * 10);
    expect(all.torn).toBeGreaterThan(0);
    process.stderr.write(
      `overrun, seed ${seed}: ${JSON.stringify({ ...all, kills: SCHEDULES * KILLS, overruns: 0 })}\n`,
    );
  },
  { timeout: 180_000 },
);

function lostOf(accepted: string[]): string[] {
  using sqlite = new Database(join(data, "forecourt.sqlite"), { readonly: true });
  const known = new Set(sqlite.query("SELECT job FROM usage").values().flat());
  return accepted.filter((id) => !known.has(id));
}
