// Every end is told, whatever dies: a receiver that fails 30 % of the time and a server that is killed five times.
import { Database } from "bun:sqlite";
import { afterAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { proved } from "../support/conformance.ts";
import { freePort, type LiveServer, startServer, until } from "../support/live-server.ts";
import { isSigned, startReceiver } from "../support/webhook-receiver.ts";

const isFull = process.env.FORECOURT_CHAOS_FULL === "1";
const JOBS = isFull ? 10_000 : 1_000;
const KILLS = 5;
const FAILING = 0.3;
const CALLERS = 16;
const PATIENCE_MS = isFull ? 600_000 : 110_000;

const data = await mkdtemp(join(tmpdir(), "forecourt-chaos-webhooks-"));
afterAll(() => rm(data, { recursive: true, force: true }));

/** Each attempt fails in one of the ways that receivers have; the dice are seeded so that a run can be repeated. */
function failingReceiver(seed: number) {
  const seen = { told: new Map<string, number>(), forged: [] as string[], failed: 0 };
  let keys: Parameters<typeof isSigned>[1] = [];
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const receiver = startReceiver((received) => {
    const id = received.headers.get("x-fal-webhook-request-id") ?? "";
    if (!isSigned(received, keys)) seen.forged.push(id);
    const { request_id, status, payload } = JSON.parse(received.body);
    if (request_id !== id || status !== "OK" || payload.prompt === undefined) seen.forged.push(id);
    if (random() < FAILING) {
      seen.failed++;
      return new Response("not now", { status: random() < 0.5 ? 500 : 429 });
    }
    seen.told.set(id, (seen.told.get(id) ?? 0) + 1);
    return new Response(null, { status: 204 });
  });
  return {
    ...receiver,
    seen,
    async trust({ origin }: LiveServer) {
      keys = (await (await fetch(`${origin}/.well-known/jwks.json`)).json()).keys;
    },
  };
}

test(
  `${JOBS} webhooks are all delivered although the server is killed ${KILLS} times`,
  async () => {
    const seed = Number(process.env.FORECOURT_CHAOS_SEED ?? Date.now() % 1_000_000);
    await using receiver = failingReceiver(seed);
    const { told, forged } = receiver.seen;
    const port = await freePort();
    const env = { FORECOURT_FETCH_ALLOW: "127.0.0.0/8", FORECOURT_WEBHOOKS_RETRY_SECONDS: "0.1" };
    const start = () => startServer({ data, port, env });
    let server = await start();
    await receiver.trust(server);

    const accepted: string[] = [];
    const url = `${server.origin}/queue/forecourt/echo?fal_webhook=${encodeURIComponent(`${receiver.origin}/hook`)}`;
    const headers = { authorization: `Key ${server.key}` };
    let next = 0;
    /** An answer that a kill took away may belong to a job that was accepted: it is submitted again, like clients do. */
    const submitAll = async () => {
      while (next < JOBS) {
        const body = JSON.stringify({ prompt: `number ${next++}` });
        for (let id: string | undefined; id === undefined; ) {
          id = await fetch(url, { method: "POST", headers, body })
            .then(async (response) => (await response.json()).request_id as string)
            .catch(() => undefined);
          if (id === undefined)
            await Bun.sleep(50); // while the server is down
          else accepted.push(id);
        }
      }
    };
    const submitting = Promise.all(Array.from({ length: CALLERS }, submitAll));

    for (let kills = 1; kills <= KILLS; kills++) {
      const share = Math.floor((JOBS * kills) / (KILLS + 2));
      await until(async () => told.size >= share, `${share} webhooks were told`, PATIENCE_MS);
      await server.kill("SIGKILL");
      server = await start();
    }
    await submitting;
    await using last = server;
    const untold = () => accepted.filter((id) => !told.has(id));
    await until(async () => untold().length === 0, `all were told (seed ${seed}): ${last.output()}`, PATIENCE_MS);

    expect(accepted).toHaveLength(JOBS);
    expect(new Set(accepted).size).toBe(JOBS);
    expect(forged).toEqual([]);
    expect(receiver.seen.failed).toBeGreaterThan(JOBS * FAILING * 0.8);
    await until(async () => unsettled() === 0, "all outcomes are written down", PATIENCE_MS);
    expect(statuses()).toEqual(["delivered"]);
    proved("http", "webhook");
  },
  { timeout: isFull ? 900_000 : 240_000 },
);

function query<Row>(sql: string): Row[] {
  using database = new Database(join(data, "forecourt.sqlite"), { readonly: true });
  return database.query<Row, []>(sql).all();
}
const statuses = () =>
  query<{ status: string }>("SELECT DISTINCT status FROM webhook_delivery").map(({ status }) => status);
const unsettled = () =>
  query<{ n: number }>("SELECT count(*) AS n FROM webhook_delivery WHERE status IN ('waiting', 'pending')")[0]?.n ?? 0;
