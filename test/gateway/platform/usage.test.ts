// What was used and what it cost, and the events behind it.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { nanos } from "../../../src/core/money.ts";
import { createTestGateway, type TestGateway } from "../../support/test-gateway.ts";

let gateway: TestGateway;
let other: { id: string; secret: string };
beforeAll(async () => {
  gateway = await createTestGateway();
  gateway.holdRuns();
  const made = gateway.keys.create({ name: "other", scope: "api" });
  other = { id: made.key.id, secret: made.secret };
  const calls: [string, string][] = [
    ["fal-ai/echo/fast", gateway.apiKey],
    ["fal-ai/echo/fast", other.secret],
    ["forecourt/echo", other.secret],
  ];
  for (const [endpoint, key] of calls) {
    const answer = gateway.ask("POST", `/run/${endpoint}`, { key, body: { prompt: "x" } });
    (await gateway.nextRun()).finish({ prompt: "x", steps: 1 });
    expect((await answer).status).toBe(200);
  }
});
afterAll(() => gateway[Symbol.asyncDispose]());

const ask = async (path: string, key = gateway.adminKey) => {
  const response = await gateway.ask("GET", `/platform/v1${path}`, { key });
  return { status: response.status, body: await response.json() };
};
/** A run counts two images, at 0.5 USD each. */
const row = (endpoint_id: string, runs: number) => ({
  ...{ endpoint_id, unit: "image", quantity: 2 * runs, unit_price: 0.5 },
  ...{ cost_subtotal: runs, cost_discount: 0, cost_total: runs, cost: runs, currency: "USD" },
});

describe("GET /models/usage", () => {
  test("sums up by endpoint, over time by default and in total where that is asked for", async () => {
    const { body } = await ask("/models/usage?timeframe=day");
    expect(body.summary).toBeUndefined();
    const results = body.time_series.flatMap((bucket: { results: unknown[] }) => bucket.results);
    expect(results).toEqual([row("fal-ai/echo/fast", 2), row("forecourt/echo", 1)]);
    const total = await ask("/models/usage?expand=summary");
    expect(total.body).toEqual({ summary: results, next_cursor: null, has_more: false });
  });

  test("takes only the endpoints, keys and people that are asked for; a model's id means all its names", async () => {
    const summary = async (filter: string) => (await ask(`/models/usage?expand=summary&${filter}`)).body.summary;
    expect(await summary("endpoint_id=fal-ai/echo/fast")).toEqual([row("fal-ai/echo/fast", 2)]);
    expect(await summary("endpoint_id=forecourt/echo")).toHaveLength(2);
    expect(await summary(`api_key_id=${other.id}`)).toEqual([row("fal-ai/echo/fast", 1), row("forecourt/echo", 1)]);
    expect(await summary("login_username=somebody")).toEqual([]);
    expect(await summary("start=2001-01-01&end=2001-02-01&timeframe=day")).toEqual([]);
  });

  test("tells keys apart where that is asked for", async () => {
    const { body } = await ask(
      "/models/usage?expand=summary,auth_method,auth_method_structured&endpoint_id=fal-ai/echo/fast",
    );
    expect(body.summary).toHaveLength(2);
    expect(body.summary).toContainEqual({
      ...row("fal-ai/echo/fast", 1),
      ...{ auth_method: "other", auth_method_structured: { detail: "other", api_key_id: other.id } },
    });
  });

  test("comes in pages of buckets", async () => {
    const first = await ask("/models/usage?timeframe=hour&limit=20");
    expect([first.body.time_series.length, first.body.has_more]).toEqual([20, true]);
    const second = await ask(`/models/usage?timeframe=hour&limit=20&cursor=${first.body.next_cursor}`);
    expect(second.body).toMatchObject({ has_more: false, next_cursor: null });
    const buckets = [...first.body.time_series, ...second.body.time_series];
    expect(buckets.flatMap(({ results }) => results)).toHaveLength(2);
    expect((await ask("/models/usage?cursor=nonsense")).status).toBe(400);
  });
});

describe("GET /models/billing-events", () => {
  const events = async (query: string) => (await ask(`/models/billing-events?${query}`)).body;

  test("filters before it counts off a page", async () => {
    const page = await events(`endpoint_id=forecourt/echo&api_key_id=${other.id}&limit=1`);
    expect(page).toMatchObject({ billing_events: [{ endpoint_id: "fal-ai/echo/fast" }], has_more: true });
    const next = await events(`endpoint_id=forecourt/echo&api_key_id=${other.id}&limit=1&cursor=${page.next_cursor}`);
    expect(next).toMatchObject({ billing_events: [{ endpoint_id: "forecourt/echo" }], has_more: false });
    expect((await events("login_username=somebody")).billing_events).toEqual([]);
  });

  test("tells whose key it was where that is asked for", async () => {
    const { billing_events: all } = await events(`api_key_id=${other.id}&expand=auth_method_structured`);
    for (const event of all)
      expect(event).toMatchObject({ auth_method_structured: { api_key_id: other.id }, output_units: 2, cost_total: 1 });
    expect(all).toHaveLength(2);
  });
});

describe("GET /account/billing", () => {
  test("names the asking key, and what its tightest budget has left as its credits", async () => {
    expect((await ask("/account/billing")).body).toEqual({ username: "test-admin" });
    expect((await ask("/account/billing?expand=credits")).body).toEqual({ username: "test-admin", credits: null });
    const id = gateway.adminKey.split(":")[0];
    const budgets = ["10 USD/day", "3 USD/hour"];
    const set = await gateway.ask("PUT", `/admin/v1/limits/key/${id}`, { key: gateway.adminKey, body: { budgets } });
    expect(set.status).toBe(200);
    expect((await ask("/account/billing?expand=credits")).body).toEqual({
      ...{ username: "test-admin", credits: { current_balance: 3, currency: "USD" } },
    });
    expect((await ask("/account/billing", gateway.apiKey)).status).toBe(403);
  });
});

describe("a key that pays by another unit than the model's file says", () => {
  test("is told the same units and money by its answers, the sums and the events", async () => {
    const { key, secret } = gateway.keys.create({ name: "by the request", scope: "api" });
    const price = { currency: "USD", parts: [{ unit: "request", amount: nanos(0.1) }] };
    gateway.accounts.store.setPrice({ holder: `key:${key.id}`, model: "*", price });
    const told: [string | null, string | null][] = [];
    for (const _ of [1, 2, 3]) {
      const answer = gateway.ask("POST", "/run/forecourt/echo", { key: secret, body: { prompt: "x" } });
      (await gateway.nextRun()).finish({ prompt: "x", steps: 1 });
      const { headers } = await answer;
      told.push([headers.get("x-fal-billable-units"), headers.get("x-forecourt-cost")]);
    }
    expect(told).toEqual(Array(3).fill(["1", "0.1 USD"]));
    const sums = await ask(`/models/usage?expand=summary&api_key_id=${key.id}`);
    // As fractions these would come to 0.30000000000000004.
    expect(sums.body.summary).toEqual([
      expect.objectContaining({ unit: "request", quantity: 3, unit_price: 0.1, cost: 0.3 }),
    ]);
    const { billing_events } = (await ask(`/models/billing-events?api_key_id=${key.id}`)).body;
    const event = { output_units: 1, unit_price: 0.1, cost_total: 0.1, cost_estimate_nano_usd: 100_000_000 };
    expect(billing_events).toEqual(Array(3).fill(expect.objectContaining(event)));
  });
});
