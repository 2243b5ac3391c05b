// Power cuts: the database and its log as they are at random moments under load, whole, cut short or with a spoilt end.
// The copies are opened like after a cut: they are sound, nothing accepted is missing, and every job comes to one end.
import { Database as Sqlite } from "bun:sqlite";
import { expect, test } from "bun:test";
import { appendFileSync, copyFileSync, cpSync, existsSync, mkdirSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { asId, type KeyId } from "../../src/core/ids.ts";
import { createTestAppliance, type TestAppliance } from "../support/create-test-appliance.ts";
import { testFolder } from "../support/test-folder.ts";
import { until } from "../support/until.ts";

const CUTS = Number(process.env.FORECOURT_POWER_CUTS ?? 9);
const SEED = Number(process.env.FORECOURT_CHAOS_SEED ?? Date.now() % 1_000_000);
const folder = testFolder("power");

let state = SEED;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};

type Accepted = {
  id: string /** Length of the log when its acceptance was told: all before is on disk. */;
  logLength: number;
};
type Cut = { place: string; damage: "none" | "cut" | "garbage"; mustHave: string[] };

const logOf = (data: string) => join(data, "forecourt.sqlite-wal");

/** Nothing else happens in this process meanwhile: the copy is one moment. The log is far from its first checkpoint. */
function cutPower(data: string, accepted: Accepted[], number: number): Cut {
  const place = join(folder, `cut-${number}`);
  mkdirSync(place);
  for (const name of ["forecourt.sqlite", "forecourt.sqlite-wal"])
    if (existsSync(join(data, name))) copyFileSync(join(data, name), join(place, name));
  for (const name of ["token.secret", "webhook.key", "files"])
    if (existsSync(join(data, name))) cpSync(join(data, name), join(place, name), { recursive: true });
  const length = statSync(logOf(place)).size;
  const damage = (["none", "cut", "garbage"] as const)[number % 3] ?? "none";
  if (damage === "none") return { place, damage, mustHave: accepted.map(({ id }) => id) };
  if (damage === "garbage") {
    const spoilt = Buffer.from(
      Array.from({ length: 1 + Math.floor(random() * 9000) }, () => Math.floor(random() * 256)),
    );
    appendFileSync(logOf(place), spoilt);
    return { place, damage, mustHave: accepted.map(({ id }) => id) };
  }
  const left = Math.max(0, length - Math.floor(random() * 200_000));
  truncateSync(logOf(place), left);
  return { place, damage, mustHave: accepted.filter(({ logLength }) => logLength <= left).map(({ id }) => id) };
}

async function load(box: TestAppliance, { isOver, accepted }: { isOver: () => boolean; accepted: Accepted[] }) {
  const model = box.catalog.find("forecourt/echo")?.model;
  if (!model) throw new Error("the echo model is built in");
  const key = asId<KeyId>(box.apiKey.split(":")[0] ?? "");
  const webhook = { url: "http://192.0.2.1/never", origin: "http://localhost" };
  const client = async () => {
    while (!isOver()) {
      const withHook = random() < 0.3 ? { webhook } : {};
      const job = await box.jobs.submit({
        model,
        endpoint: model.id,
        key,
        input: { prompt: "x" },
        rejectInvalid: true,
        ...withHook,
      });
      accepted.push({ id: job.id, logLength: statSync(logOf(box.data)).size });
      if (random() < 0.1) box.jobs.cancel(job.id);
    }
  };
  await Promise.all(Array.from({ length: 16 }, client));
}

const column = (sqlite: Sqlite, sql: string) => sqlite.query(sql).values().flat();

/** True of the file as it is found, before anybody mends it. */
function checkSound({ place, mustHave }: Cut): void {
  using sqlite = new Sqlite(join(place, "forecourt.sqlite"), { readwrite: true });
  expect(column(sqlite, "PRAGMA integrity_check")).toEqual(["ok"]);
  expect(column(sqlite, "PRAGMA foreign_key_check")).toEqual([]);
  const there = new Set(column(sqlite, "SELECT id FROM job"));
  expect(mustHave.filter((id) => !there.has(id))).toEqual([]);
  const broken = [
    "SELECT id FROM job WHERE status IN ('done', 'failed', 'cancelled') AND finished_at IS NULL",
    "SELECT id FROM job WHERE status IN ('queued', 'running') AND (finished_at IS NOT NULL OR output IS NOT NULL)",
    "SELECT id FROM job WHERE status = 'done' AND (output IS NULL OR units IS NULL)",
    "SELECT job FROM webhook_delivery JOIN job ON job.id = job WHERE webhook_delivery.status = 'waiting' AND finished_at IS NOT NULL",
    "SELECT job FROM webhook_delivery JOIN job ON job.id = job WHERE webhook_delivery.status <> 'waiting' AND finished_at IS NULL",
    "SELECT job FROM reservation WHERE job NOT IN (SELECT id FROM job WHERE status IN ('queued', 'running'))",
    "SELECT job FROM usage GROUP BY job HAVING count(*) > 1",
    "SELECT job FROM usage WHERE job IN (SELECT id FROM job WHERE status IN ('queued', 'running'))",
  ];
  for (const sql of broken) expect([sql, ...column(sqlite, sql)]).toEqual([sql]);
}

/** A server on the copy brings every job to its end, and none that had ended begins again. */
async function checkRecovery({ place }: Cut): Promise<void> {
  const ended = () => {
    using sqlite = new Sqlite(join(place, "forecourt.sqlite"), { readonly: true });
    return new Map(
      sqlite
        .query<[string, string], []>("SELECT id, status || finished_at FROM job WHERE finished_at IS NOT NULL")
        .values() as [string, string][],
    );
  };
  const before = ended();
  {
    await using box = await createTestAppliance({ data: place });
    const isIdle = () => box.jobs.queue().waiting.size === 0 && box.jobs.queue().running === 0;
    await until(isIdle, 60_000);
    await box.database.committed();
  }
  const after = ended();
  for (const [id, end] of before) expect(after.get(id)).toBe(end);
}

test(
  `${CUTS} power cuts under load, by seed ${SEED}, lose nothing that was accepted and leave nothing half done`,
  async () => {
    const accepted: Accepted[] = [];
    const cuts: Cut[] = [];
    let isOver = false;
    const box = await createTestAppliance();
    const loading = load(box, { isOver: () => isOver, accepted });
    for (let number = 0; number < CUTS; number++) {
      const next = accepted.length + 5 + Math.floor(random() * 60);
      while (accepted.length < next) await new Promise(setImmediate);
      cuts.push(cutPower(box.data, accepted, number));
    }
    isOver = true;
    await loading;
    await box[Symbol.asyncDispose]();
    expect(accepted.length).toBeGreaterThan(CUTS * 5);
    for (const cut of cuts) {
      checkSound(cut);
      await checkRecovery(cut);
    }
    // The cuts are no empty exercise: those of whole logs must have everything, and some have open jobs to take up.
    expect(cuts.at(-1)?.mustHave.length).toBeGreaterThan(0);
  },
  { timeout: 180_000 },
);
