import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { UsageFact } from "../../../src/control/accounts/usage-facts-store.ts";
import { measure, metricNames, percentile } from "../../../src/gateway/platform/metrics.ts";
import { createTestGateway, type TestGateway } from "../../support/test-gateway.ts";

const fact = (change: Partial<UsageFact>): UsageFact => ({
  ...{ model: "a/b", endpoint: "a/b", outcome: "done", code: null },
  ...{ queueMs: 1000, loadMs: 0, runMs: 2000 },
  ...change,
});
/** As the ledger has what did not succeed. */
const none = { queueMs: null, loadMs: null, runMs: null };

describe("metrics", () => {
  test("percentiles are by nearest rank", () => {
    expect([0, 1, 50, 99, 100].map((share) => percentile([3, 1, 2, 4], share))).toEqual([1, 1, 2, 4, 4]);
    expect(percentile([], 50)).toBeNull();
  });

  test("count what ended how, and sort failures of the box by kind", () => {
    const facts = [
      fact({}),
      fact({ outcome: "failed", code: "invalid_input", ...none }),
      fact({ outcome: "cancelled", ...none }),
      ...(["weights_missing", "runner_crashed", "run_timeout", "runner_failed"] as const).map((code) =>
        fact({ outcome: "failed", code, ...none }),
      ),
    ];
    expect(measure(facts, metricNames)).toMatchObject({
      ...{ request_count: 7, success_count: 1, user_error_count: 2, error_count: 4 },
      ...{ startup_error_count: 1, connection_error_count: 1, timeout_error_count: 1, runtime_error_count: 1 },
      ...{ p50_duration: 2, total_billable_duration: 2, p50_prepare_duration: 1 },
      ...{ cold_boot_count: 0, p90_cold_boot_duration: null },
    });
  });

  test("a cold boot is a request that waited for a load", () => {
    const facts = [fact({ loadMs: 2500 }), fact({ loadMs: 0 }), fact({ loadMs: 500 })];
    expect(measure(facts, ["cold_boot_count", "p50_cold_boot_duration", "p90_cold_boot_duration"])).toEqual({
      ...{ cold_boot_count: 2, p50_cold_boot_duration: 0.5, p90_cold_boot_duration: 2.5 },
    });
  });
});

describe("GET /models/analytics", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await createTestGateway();
    for (const prompt of ["a", "b", "c"]) await gateway.ask("POST", "/run/fal-ai/echo/fast", { body: { prompt } });
    await gateway.ask("POST", "/queue/forecourt/echo", { body: { prompt: 1 } });
  });
  afterAll(() => gateway[Symbol.asyncDispose]());
  const analytics = async (query: string, key = gateway.apiKey) => {
    const response = await gateway.ask("GET", `/platform/v1/models/analytics?${query}`, { key });
    return { status: response.status, body: await response.json() };
  };

  test("counts in the bucket of now and in total, an alias apart from all names of the model", async () => {
    const { body } = await analytics(
      "endpoint_id=forecourt/echo,fal-ai/echo/fast&timeframe=day&expand=time_series,summary,request_count,success_count,user_error_count,p99_duration",
    );
    const byId = Object.fromEntries(
      body.summary.map(({ endpoint_id, ...row }: { endpoint_id: string }) => [endpoint_id, row]),
    );
    expect(byId["forecourt/echo"]).toMatchObject({ request_count: 4, success_count: 3, user_error_count: 1 });
    expect(byId["fal-ai/echo/fast"]).toMatchObject({ request_count: 3, success_count: 3, user_error_count: 0 });
    expect(byId["forecourt/echo"].p99_duration).toBeNumber();
    const counted = body.time_series.flatMap(
      ({ results }: { results: { endpoint_id: string; request_count: number }[] }) =>
        results.filter(({ endpoint_id }) => endpoint_id === "forecourt/echo"),
    );
    expect(counted.reduce((sum: number, row: { request_count: number }) => sum + row.request_count, 0)).toBe(4);
    for (const { bucket } of body.time_series) expect(bucket).toEndWith("T00:00:00+00:00");
  });

  test("counts messages of realtime connections, which are never written as jobs", async () => {
    const model = gateway.catalog.find("forecourt/echo")?.model ?? expect.unreachable();
    const key = gateway.keys.create({ name: "live", scope: "api" });
    const message = { model, endpoint: model.id, key: key.key.id, input: { prompt: "hi" }, rejectInvalid: true };
    const { id } = await gateway.jobs.submit({ ...message, durable: false });
    await gateway.jobs.untilEnd(id, AbortSignal.timeout(60_000));
    await gateway.database.committed();
    const query = "endpoint_id=forecourt/echo&expand=summary,request_count,success_count,p50_duration";
    const { body } = await analytics(query, key.secret);
    expect(body.summary).toMatchObject([{ request_count: 1, success_count: 1, p50_duration: expect.any(Number) }]);
  });

  test("shows others nothing of a key's requests, and an admin all", async () => {
    const other = gateway.keys.create({ name: "other", scope: "api" }).secret;
    const query = "endpoint_id=forecourt/echo&expand=summary,request_count";
    expect((await analytics(query, other)).body.summary).toEqual([]);
    expect((await analytics(query, gateway.adminKey)).body.summary).toMatchObject([{ request_count: 5 }]);
  });

  test("gives request counts over time where nothing else is asked for, page by page", async () => {
    const { body } = await analytics("endpoint_id=forecourt/echo&limit=20");
    expect(body.time_series).toHaveLength(20);
    expect(body.summary).toBeUndefined();
    const rest = await analytics(`endpoint_id=forecourt/echo&limit=20&cursor=${body.next_cursor}`);
    expect(rest.body.time_series.length).toBeWithin(4, 7);
    expect(rest.body.has_more).toBe(false);
  });

  test("names what is wrong", async () => {
    expect((await analytics("endpoint_id=none/such")).status).toBe(404);
    for (const query of [
      "expand=request_count",
      "endpoint_id=forecourt/echo&expand=everything",
      "endpoint_id=forecourt/echo&timezone=Mars",
    ])
      expect((await analytics(query)).status, query).toBe(400);
  });
});
