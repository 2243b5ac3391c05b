import { afterAll, beforeAll, expect, test } from "bun:test";
import { milliseconds } from "../../../src/core/units.ts";
import { cpuMs } from "../../support/cpu-time.ts";
import { createTestGateway, type TestGateway } from "../../support/test-gateway.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

const ask = async (method: string, path: string, more: { body?: unknown; key?: string } = {}) => {
  const response = await gateway.ask(method, `/platform/v1/models${path}`, more);
  return { status: response.status, body: await response.json() };
};

test("prices are told for ids and aliases, in fal's words", async () => {
  const { body } = await ask("GET", "/pricing?endpoint_id=fal-ai/echo/fast,none/such");
  expect(body).toEqual({
    prices: [{ endpoint_id: "fal-ai/echo/fast", unit_price: 0.5, unit: "image", currency: "USD" }],
    ...{ next_cursor: null, has_more: false },
  });
  expect((await ask("GET", "/pricing?endpoint_id=none/such")).status).toBe(404);
});

test("estimates multiply units, or calls by what calls counted before", async () => {
  const estimate = (estimate_type: string, endpoints: unknown) =>
    ask("POST", "/pricing/estimate", { body: { estimate_type, endpoints } });
  const units = await estimate("unit_price", { "forecourt/echo": { unit_quantity: 3 } });
  expect(units.body).toEqual({ estimate_type: "unit_price", total_cost: 1.5, currency: "USD" });
  const calls = await estimate("historical_api_price", { "forecourt/echo": { call_quantity: 4 } });
  expect(calls.body).toMatchObject({ total_cost: 2, currency: "USD" });
  expect((await estimate("unit_price", { "none/such": { unit_quantity: 1 } })).status).toBe(404);
  expect((await estimate("unit_price", { "forecourt/echo": { call_quantity: 1 } })).status).toBe(400);
  expect((await estimate("unit_price", {})).status).toBe(400);
});

test("an estimate by calls is their mean, and costs no more where others made many", async () => {
  await using box = await createTestGateway();
  const { id } = box.keys.create({ name: "caller", scope: "api" }).key;
  const caller = { key: box.keys.rotate(id, milliseconds(0)).secret };
  const now = Date.now();
  const insert = (key: string, count: number, day: number, outcome = "done") =>
    box.database.write(() =>
      box.database.sqlite.run(
        `WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < ?)
         INSERT INTO usage (job, key, model, endpoint, outcome, units, cost, currency, admitted_at, ended_at)
         SELECT ? || n, ?, 'forecourt/echo', 'forecourt/echo', ?, iif(? = 'done', '{"images":3000000}', '{}'), 1, 'USD', ?, ? FROM c`,
        [count, `${key}-${day}-${outcome}-`, key, outcome, outcome, now - day * 86_400_000, now],
      ),
    );
  const estimate = async () => {
    const before = cpuMs();
    const endpoints = { "forecourt/echo": { call_quantity: 2 }, "fal-ai/echo/fast": { call_quantity: 1 } };
    const body = { estimate_type: "historical_api_price", endpoints };
    const answer = await box.ask("POST", "/platform/v1/models/pricing/estimate", { ...caller, body });
    return { cost: (await answer.json()).total_cost, ms: cpuMs() - before };
  };
  expect((await estimate()).cost).toBe(1.5);
  insert(id, 4, 2);
  insert(id, 3, 2, "failed");
  insert(id, 5, 40);
  while (box.accounts.totals.rollUp(1_000));
  const few = await estimate();
  insert("other", 200_000, 1);
  while (box.accounts.totals.rollUp(20_000));
  const many = await estimate();
  expect([few.cost, many.cost]).toEqual([4.5, 4.5]);
  expect(many.ms).toBeLessThan(3 * few.ms + 50);
  const endpoints = Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`a/${n}`, { call_quantity: 1 }]));
  const body = { estimate_type: "historical_api_price", endpoints };
  expect((await box.ask("POST", "/platform/v1/models/pricing/estimate", { ...caller, body })).status).toBe(400);
});

test("billing events tell what each request cost, page by page, to admins", async () => {
  const ids: string[] = [];
  for (const prompt of ["a", "b", "c"]) {
    const response = await gateway.ask("POST", "/run/fal-ai/echo/fast", { body: { prompt } });
    ids.push(response.headers.get("x-fal-request-id") ?? "");
  }
  const key = gateway.adminKey;
  const first = await ask("GET", "/billing-events?limit=2", { key });
  expect(first.body.has_more).toBe(true);
  const second = await ask("GET", `/billing-events?limit=2&cursor=${first.body.next_cursor}`, { key });
  const events = [...first.body.billing_events, ...second.body.billing_events];
  expect(events.map(({ request_id }) => request_id)).toEqual(ids);
  expect(events[0]).toMatchObject({ endpoint_id: "fal-ai/echo/fast", currency: "USD", cost_discount: 0 });
  expect(events[0].cost_total).toBe(events[0].cost_estimate_nano_usd / 1e9);
  const one = await ask("GET", `/billing-events?request_id=${ids[1]}`, { key });
  expect(one.body.billing_events).toHaveLength(1);
});
