// Nothing lost, nothing done twice: 50 queued jobs finish although runner and server are killed 20 times meanwhile.
import { Database } from "bun:sqlite";
import { afterAll, expect, test } from "bun:test";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { falClientOf } from "../clients/hosts-on-box.ts";
import { freePort, startServer, until } from "../support/live-server.ts";
import { seededRandom } from "../support/seeded-random.ts";

const JOBS = 50;
const KILLS = 20;
const MODEL = "forecourt/demo-diffusion";
const data = await mkdtemp(join(tmpdir(), "forecourt-chaos-"));
afterAll(() => rm(data, { recursive: true, force: true }));

/** Statuses as the database has them, read beside the server. */
function counts(): Record<string, number> {
  using database = new Database(join(data, "forecourt.sqlite"), { readonly: true });
  const rows = database
    .query<{ status: string; n: number }, []>("SELECT status, count(*) AS n FROM job GROUP BY status")
    .all();
  return Object.fromEntries(rows.map(({ status, n }) => [status, n]));
}

test(
  `${JOBS} queued jobs survive ${KILLS} kills of runner and server`,
  async () => {
    const seed = Number(process.env.FORECOURT_CHAOS_SEED ?? Date.now() % 1_000_000);
    const random = seededRandom(seed);
    const port = await freePort();
    const start = () => startServer({ data, port, env: { FORECOURT_JOBS_RETRIES: "30" } });
    let server = await start();
    const submitted = await Promise.all(
      Array.from({ length: JOBS }, (_, n) =>
        falClientOf(server).queue.submit(MODEL, {
          input: { prompt: `a red circle number ${n}`, seed: n, num_inference_steps: 8, output_format: "png" },
        }),
      ),
    );
    const ids = submitted.map(({ request_id }) => request_id);
    expect(new Set(ids).size).toBe(JOBS);

    let [runnerKills, serverKills] = [0, 0];
    while (runnerKills + serverKills < KILLS) {
      const done = counts().done ?? 0;
      if (done === JOBS) break;
      const wait = 50 + random() * 700;
      await Bun.sleep(wait); // the moment of the blow, not a signal
      if (random() < 0.7) {
        const [runner] = await server.runnerPids();
        if (runner === undefined) continue;
        process.kill(runner, "SIGKILL");
        runnerKills++;
      } else {
        const orphans = await server.runnerPids();
        await server.kill("SIGKILL");
        serverKills++;
        await until(
          async () => !(await Promise.all(orphans.map(isAlive))).includes(true),
          "the dead server's runners are gone",
        );
        server = await start();
      }
    }
    await using last = server;
    const message = `seed ${seed}, ${runnerKills} runner kills, ${serverKills} server kills\n${last.output()}`;
    await until(
      async () => (counts().queued ?? 0) + (counts().running ?? 0) === 0,
      `all jobs finished (${message})`,
      90_000,
    );
    expect([counts(), message]).toEqual([{ done: JOBS }, message]);
    expect(runnerKills + serverKills).toBe(KILLS);

    for (const [n, id] of ids.entries()) {
      const { data: result } = await falClientOf(last).queue.result(MODEL, { requestId: id });
      expect(result.seed).toBe(n);
      const picture = await fetch(result.images[0].url);
      expect(picture.status).toBe(200);
      expect(new Uint8Array(await picture.arrayBuffer()).subarray(1, 4)).toEqual(new TextEncoder().encode("PNG"));
    }
  },
  { timeout: 180_000 },
);

/** A zombie, whose parent has not yet asked after it, is dead. */
async function isAlive(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  return status !== undefined && !/\) [ZX] /.test(status);
}
