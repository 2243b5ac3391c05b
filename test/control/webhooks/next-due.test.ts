// The next delivery, against a look at all of them: whoever is full, whatever waits before it.
import { describe, expect, test } from "bun:test";
import { openDatabase } from "../../../src/control/database/open.ts";
import { createOutboxStore, type WebhookRow } from "../../../src/control/webhooks/outbox-store.ts";
import { asId, type JobId } from "../../../src/core/ids.ts";
import { instant } from "../../../src/core/units.ts";
import { seededRandom } from "../../support/seeded-random.ts";

type Waiting = Pick<WebhookRow, "job" | "host" | "owner" | "dueAt" | "status">;

function stage(rows: Waiting[]) {
  const database = openDatabase({ file: ":memory:" });
  database.sqlite.run("PRAGMA foreign_keys = OFF"); // webhooks of no job
  const insert = database.sqlite.prepare(
    "INSERT INTO webhook_delivery (job, url, host, owner, origin, status, created_at, due_at) VALUES (?, '', ?, ?, '', ?, 0, ?)",
  );
  database.sqlite.transaction(() => {
    for (const { job, host, owner, status, dueAt } of rows) insert.run(job, host, owner, status, dueAt);
  })();
  return { database, store: createOutboxStore(database) };
}

const NOW = instant(1_000_000);

describe("the next delivery", () => {
  test.each([1, 2, 3, 4, 5, 6])("is the longest due one that has a place, of a thousand (%p)", (seed) => {
    const random = seededRandom(seed);
    const pick = <T>(list: T[]) => list[Math.floor(random() * list.length)] as T;
    const [hosts, owners] = [
      ["a:1", "b:1", "c:1", "d:1"],
      ["", "one", "two", "three"],
    ];
    // Few hosts have most, as where one receiver is away.
    const skewed = (list: string[]) => (random() < 0.8 ? (list[0] as string) : pick(list));
    const dues = Array.from({ length: 1_000 }, (_, at) => NOW - 900 + at).sort(() => random() - 0.5);
    const rows = dues.map((dueAt, at): Waiting => {
      const owner = skewed(owners) || null;
      return { job: `job-${at}`, host: skewed(hosts), owner, dueAt, status: random() < 0.9 ? "pending" : "dead" };
    });
    const { store } = stage(rows);
    for (let look = 0; look < 40; look++) {
      const full = (list: string[]) => list.filter(() => random() < 0.5);
      const lists = {
        fullHosts: full(hosts),
        fullOwners: full(owners),
        underWay: rows.slice(0, look * 5).map(({ job }) => asId<JobId>(job)),
      };
      const [wanted] = rows
        .filter(({ status, dueAt }) => status === "pending" && (dueAt ?? 0) <= NOW)
        .filter(({ host, owner }) => !lists.fullHosts.includes(host) && !lists.fullOwners.includes(owner ?? ""))
        .filter(({ job }) => !lists.underWay.includes(asId(job)))
        .sort((a, b) => (a.dueAt ?? 0) - (b.dueAt ?? 0));
      expect(store.next({ now: NOW, ...lists })?.job).toBe(wanted?.job as string);
    }
  });

  test("is found by steps in the index, past whatever waits", () => {
    const { database } = stage([]);
    const prepared: string[] = [];
    const prepare = database.sqlite.prepare.bind(database.sqlite);
    database.sqlite.prepare = ((sql: string) => {
      prepared.push(sql);
      return prepare(sql);
    }) as typeof database.sqlite.prepare;
    createOutboxStore(database);
    const looks = prepared.filter((sql) => sql.includes("json_each"));
    expect(looks).toHaveLength(2);
    const steps = looks.flatMap((sql) =>
      database.sqlite.query<{ detail: string }, []>(`EXPLAIN QUERY PLAN ${sql}`).all(),
    );
    const ofTable = steps.map(({ detail }) => detail).filter((detail) => detail.includes("webhook_delivery"));
    expect(ofTable.filter((detail) => detail.startsWith("SCAN") && !detail.includes("webhook_places"))).toEqual([]);
    expect(ofTable.some((detail) => detail.includes("webhook_places (owner=? AND host=? AND due_at<?)"))).toBe(true);
    expect(steps.filter(({ detail }) => detail.includes("TEMP B-TREE") && !detail.includes("ORDER BY"))).toEqual([]);
  });
});
