import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { parsePrice } from "../../src/control/accounts/price-text.ts";
import { databaseFile, openDatabase } from "../../src/control/database/open.ts";
import { createTestGateway, type TestGateway } from "../support/test-gateway.ts";
import { testModel } from "../support/test-models.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

const ask = (method: string, path: string, body?: unknown) =>
  gateway.ask(method, `/admin/v1${path}`, { key: gateway.adminKey, ...(body !== undefined && { body }) });

describe("keys over HTTP", () => {
  test("a key is shown once, works, is listed without its secret, and ends when revoked", async () => {
    const response = await ask("POST", "/keys", { name: "app", expires_in: 3600 });
    expect(response.status).toBe(201);
    const made = await response.json();
    expect(made).toMatchObject({ name: "app", scope: "api", state: "active", revoked_at: null });
    expect(Date.parse(made.expires_at) - Date.parse(made.created_at)).toBeWithin(3_599_000, 3_600_001);
    const run = () => gateway.ask("POST", "/run/forecourt/echo", { key: made.key, body: { prompt: "hi" } });
    expect((await run()).status).toBe(200);

    const text = await (await ask("GET", "/keys")).text();
    expect(text).not.toContain(made.key.split(":")[1]);
    const listed = JSON.parse(text).keys.find(({ id }: { id: string }) => id === made.id);
    expect(listed).toMatchObject({ state: "active", last_used_at: expect.any(String) });
    expect(await (await ask("GET", `/keys/${made.id}`)).json()).toMatchObject(listed);

    const revoked = await ask("DELETE", `/keys/${made.id}`);
    expect(await revoked.json()).toMatchObject({ id: made.id, state: "revoked" });
    expect((await run()).status).toBe(401);
    expect((await ask("DELETE", `/keys/${made.id}`)).status).toBe(200);
  });

  test("wrong wishes are refused, field by field", async () => {
    const response = await ask("POST", "/keys", { name: "", scope: "root", expires_in: 0 });
    expect(response.status).toBe(422);
    const fields = (await response.json()).detail.map(({ loc }: { loc: string[] }) => loc.at(-1));
    expect(fields.sort()).toEqual(["expires_in", "name", "scope"]);
    expect((await ask("POST", "/keys", "{")).status).toBe(422);
    expect((await ask("DELETE", "/keys/none")).status).toBe(404);
  });
});

test("a key whose times are beyond all dates is listed with the last or the first there is, among the others", async () => {
  const made = await (await ask("POST", "/keys", { name: "far" })).json();
  const change = async (sql: string) => {
    // Only another connection's change is noticed.
    using elsewhere = openDatabase({ file: databaseFile(gateway.data) });
    elsewhere.write(() => elsewhere.sqlite.run(`UPDATE api_key SET ${sql} WHERE id = ?`, [made.id]));
    elsewhere.flush();
    await new Promise(setImmediate);
  };
  await change("expires_at = 9000000000000000, last_used_at = -9000000000000000, created_at = 9000000000000000");
  const { keys } = await (await ask("GET", "/keys")).json();
  const end = "+275760-09-13T00:00:00.000Z";
  const told = { state: "active", expires_at: end, created_at: end, last_used_at: "-271821-04-20T00:00:00.000Z" };
  expect(keys).toContainEqual(expect.objectContaining({ id: made.id, ...told }));
  expect(keys.length).toBeGreaterThan(1);
  const platform = await gateway.ask("GET", "/platform/v1/keys", { key: gateway.adminKey });
  expect((await platform.json()).keys).toContainEqual(expect.objectContaining({ key_id: made.id, created_at: end }));
  await change("expires_at = -9000000000000000");
  expect(await (await ask("GET", `/keys/${made.id}`)).json()).toMatchObject({ state: "expired" });
  await ask("DELETE", `/keys/${made.id}`);
});

describe("the state of the box over HTTP", () => {
  test("names device, runners and open jobs", async () => {
    gateway.holdRuns();
    const { request_id } = await (
      await gateway.ask("POST", "/queue/forecourt/echo", { body: { prompt: "hi" } })
    ).json();
    const run = await gateway.nextRun();
    const status = await (await ask("GET", "/status")).json();
    expect(status.devices).toMatchObject([{ id: "cpu", name: "Test CPU" }]);
    expect(status.runners).toMatchObject([{ model: "forecourt/echo", device: "cpu", dtype: "fp32", state: "busy" }]);
    expect(status.queue).toMatchObject([{ request_id, model: "forecourt/echo", status: "running", attempts: 1 }]);
    expect(JSON.stringify(status)).not.toContain('"hi"');
    run.finish({});
  });

  test("has the first of a long queue and how many there are, and the whole of it in pages", async () => {
    await using box = await createTestGateway();
    box.holdRuns();
    const asAdmin = async (path: string) =>
      (await box.ask("GET", `/admin/v1${path}`, { key: box.adminKey })).json() as Promise<{
        requests: { request_id: string; status: string }[];
        next: string | null;
      }>;
    const submit = async () =>
      (await (await box.ask("POST", "/queue/forecourt/echo", { body: { prompt: "hi" } })).json()).request_id as string;
    const running = await submit();
    await box.nextRun();
    const waiting: string[] = [];
    for (let at = 0; at < 150; at++) waiting.push(await submit());
    // Not durable: it waits in memory alone, as a realtime connection's do.
    const model = box.catalog.find("forecourt/echo")?.model ?? expect.unreachable();
    const [key] = box.keys.list();
    const frame = { model, endpoint: model.id, key: key?.id ?? expect.unreachable(), input: { prompt: "hi" } };
    waiting.push((await box.jobs.submit({ ...frame, rejectInvalid: true, mayWait: true, durable: false })).id);

    const status = (await asAdmin("/status")) as unknown as Record<string, unknown>;
    expect(status.requests).toEqual({ running: 1, waiting: 151 });
    expect(status.queue).toBeArrayOfSize(100);
    const first = await asAdmin("/queue?limit=100");
    expect(status).toMatchObject({ queue: first.requests, queue_next: first.next });
    const pages = [await asAdmin("/queue?limit=60")];
    for (let next = pages[0]?.next; next; next = pages.at(-1)?.next)
      pages.push(await asAdmin(`/queue?limit=60&after=${next}`));
    expect(pages.map(({ requests }) => requests.length)).toEqual([60, 60, 32]);
    const all = pages.flatMap(({ requests }) => requests);
    expect(all.map(({ request_id }) => request_id)).toEqual([running, ...waiting]);
    expect(all.map(({ status }) => status)).toEqual(["running", ...waiting.map(() => "queued")]);
    expect((await box.ask("GET", "/admin/v1/queue?after=x", { key: box.adminKey })).status).toBe(422);
  });

  test("tells how far a model's download is, and ends with what is on the disk", async () => {
    const response = await ask("GET", "/models/forecourt/echo/download");
    expect(response.headers.get("content-type")).toStartWith("text/event-stream");
    expect(await response.text()).toContain('data: {"state":"built-in","at":0,"of":0}');
    expect((await ask("GET", "/models/forecourt/none/download")).status).toBe(404);
    expect((await ask("GET", "/models/forecourt/echo/other")).status).toBe(404);
    const path = "/admin/v1/models/forecourt/echo/download";
    expect((await gateway.ask("GET", path, { key: gateway.apiKey })).status).toBe(403);
  });

  test("lists whole model files with their origin", async () => {
    const { models } = await (await ask("GET", "/models")).json();
    expect(models).toMatchObject([{ id: "forecourt/echo", pipeline: "echo", origin: "built-in" }]);
  });
});

test("a limit of an account that is not properly encoded is a wrong request", async () => {
  const response = await gateway.ask("PUT", "/admin/v1/limits/key/%", { key: gateway.adminKey, body: {} });
  expect(response.status).toBe(400);
});

test("budgets and prices in units that nothing counts are refused", async () => {
  const ask = (method: string, path: string, body: object) =>
    gateway.ask(method, `/admin/v1/${path}`, { key: gateway.adminKey, body });
  const budgets = ["5 bananas/day"];
  const price = { model: "forecourt/*", price: ["1 USD/image", "1 USD/banana"] };
  for (const [answer, loc] of [
    [await ask("POST", "keys", { name: "x", budgets }), ["body", "budgets", 0]],
    [await ask("PUT", "limits/team/art", { budgets }), ["body", "budgets", 0]],
    [await ask("PUT", "prices", price), ["body", "price", 1]],
  ] as const)
    expect([answer.status, (await answer.json()).detail]).toEqual([
      422,
      [expect.objectContaining({ loc: [...loc], msg: expect.stringContaining("Nothing here counts") })],
    ]);
  expect(
    (await ask("PUT", "limits/team/art", { budgets: ["5 gpu_seconds/hour", "9 images/day", "1 EUR/day"] })).status,
  ).toBe(200);
  expect((await ask("PUT", "limits/team/art", {})).status).toBe(200);
});

test("limits of a model are set by any of its names, and those of one that is none are refused: they limited nothing", async () => {
  await using box = await createTestGateway();
  const set = (name: string, body: object) =>
    box.ask("PUT", `/admin/v1/limits/model/${name}`, { key: box.adminKey, body });
  expect(await (await set("fal-ai/echo/fast", { requests_per_minute: 1 })).json()).toMatchObject({
    id: "forecourt/echo",
  });
  const run = (model: string) => box.ask("POST", `/run/${model}`, { body: { prompt: "hi" } });
  expect((await run("forecourt/echo")).status).toBe(200);
  expect((await run("fal-ai/echo/fast")).status).toBe(429);
  expect((await set("forecourt%2Fecho", {})).status).toBe(200);
  expect((await run("forecourt/echo")).status).toBe(200);
  const refused = await set("nobody/nothing", { requests_per_minute: 1 });
  expect([refused.status, (await refused.json()).detail]).toEqual([404, "There is no model nobody/nothing."]);
  const gone = { kind: "model" as const, id: "gone/away" };
  box.accounts.store.setLimits(gone, { queue: 1 });
  expect((await set(gone.id, {})).status).toBe(200);
  expect((await set(gone.id, { queue: 1 })).status).toBe(404);
});

test("a wish that is misspelt is no wish left out: it is named, and nothing is done", async () => {
  const team = (body: object) => ask("PUT", "/limits/team/spelt", body);
  expect((await team({ budgets: ["5 USD/day"], requests_per_minute: null })).status).toBe(200);
  const made = await (await ask("POST", "/keys", { name: "before" })).json();
  const secrets = () => gateway.keys.list().map(({ id, rotatedAt }) => [id, rotatedAt]);
  const before = secrets();
  const path = { "/usage?group=model": "group", "/usage/requests?since_=x": "since_", "/audit?who=x": "who" };
  for (const [answer, loc] of [
    [await team({ budget: ["5 USD/day"] }), ["body", "budget"]],
    [await ask("POST", "/keys", { name: "x", budget: ["5 USD/day"] }), ["body", "budget"]],
    [await ask("POST", `/keys/${made.id}/rotate`, { grace: 5 }), ["body", "grace"]],
    [await ask("PUT", "/prices", { model: "*", price: ["1 USD/image"], teams: "a" }), ["body", "teams"]],
    [await ask("GET", "/webhooks?state=dead"), ["query", "state"]],
    ...(await Promise.all(
      Object.entries(path).map(async ([to, name]) => [await ask("GET", to), ["query", name]] as const),
    )),
  ] as const) {
    expect(answer.status).toBe(422);
    const { detail } = await answer.json();
    expect(detail).toEqual([expect.objectContaining({ loc: [...loc], type: "extra_forbidden" })]);
    expect(detail[0].msg).toStartWith("There is no such field; there are ");
  }
  expect(secrets()).toEqual(before);
  const { accounts } = await (await ask("GET", "/limits")).json();
  expect(accounts).toContainEqual(expect.objectContaining({ id: "spelt" }));
  expect((await team({})).status).toBe(200);
});

test("usage as CSV leads on to its next page, and a time that ends before it begins is a wrong request", async () => {
  await using box = await createTestGateway();
  for (const prompt of ["a", "b", "c"]) await box.ask("POST", "/run/forecourt/echo", { body: { prompt } });
  const page = async (query: string) => {
    const answer = await box.ask("GET", `/admin/v1/usage/requests?${query}`, { key: box.adminKey });
    expect(answer.status).toBe(200);
    const [, next] = /^<\?(.+)>; rel="next"$/.exec(answer.headers.get("link") ?? "") ?? [];
    return { lines: (await answer.text()).trim().split("\r\n").slice(1), next };
  };
  const first = await page("format=csv&limit=2");
  const second = await page(first.next ?? "");
  expect([first.lines.length, second.lines.length, second.next]).toEqual([2, 1, undefined]);
  expect(new Set([...first.lines, ...second.lines]).size).toBe(3);
  const spans = ["since=2026-02-01&until=2026-01-01", "since=2026-01-01&until=2026-01-01", "since=2999-01-01"];
  for (const span of spans)
    for (const path of ["usage", "usage/requests"])
      expect((await box.ask("GET", `/admin/v1/${path}?${span}`, { key: box.adminKey })).status).toBe(400);
});

test("a time without an offset is UTC, and the sums say which hours, days or months they are of", async () => {
  const span = async (query: string) => {
    const { since, until } = await (await ask("GET", `/usage?${query}`)).json();
    return [since, until];
  };
  expect(await span("since=2026-01-31T10:30&until=2026-01-31T12:00:01")).toEqual([
    "2026-01-31T10:00:00.000Z",
    "2026-01-31T13:00:00.000Z",
  ]);
  const day = ["2026-01-31T00:00:00.000Z", "2026-02-01T00:00:00.000Z"];
  expect(await span("since=2026-01-31&until=2026-02-01")).toEqual(day);
  expect(await span("since=2026-02-01T01:00+02:00&until=2026-01-31T23:30Z&each=day")).toEqual(day);
  expect(await span("since=2024-02-29&until=2024-03-01&each=month")).toEqual([
    "2024-02-01T00:00:00.000Z",
    "2024-03-01T00:00:00.000Z",
  ]);
  for (const wrong of ["2026", "5", "Nov 3", "2026-02-29", "2026-02-30T10:00Z", "2026-01-01T10:00:60Z", "01/02/2026"])
    for (const path of ["/usage", "/usage/requests", "/audit"])
      expect([wrong, (await ask("GET", `${path}?since=${wrong}`)).status]).toEqual([
        wrong,
        path === "/audit" ? 422 : 400,
      ]);
});

test("times beyond all dates are wrong requests, not faults", async () => {
  for (const query of ["until=-271821-04-20", "since=%2B275760-09-14", "until=yesterday"]) {
    const response = await gateway.ask("GET", `/admin/v1/usage?${query}`, { key: gateway.adminKey });
    expect(`${query} ${response.status}`).toBe(`${query} 400`);
  }
});

test("a price names the models of its pattern that cost nothing by it, because they never count its unit", async () => {
  const chat = testModel("forecourt/talk", { pipeline: "chat" });
  await using box = await createTestGateway({}, [chat]);
  const set = async (price: string[]) => {
    const body = { model: "forecourt/*", price };
    return await (await box.ask("PUT", "/admin/v1/prices", { key: box.adminKey, body })).json();
  };
  expect(await set(["1 USD/image"])).toMatchObject({ unpriced: ["forecourt/talk"] });
  expect(await set(["1 USD/image", "1 USD/token"])).not.toHaveProperty("unpriced");
});

test("prices of their own are set, listed and ended over HTTP, and the act is in the audit log", async () => {
  const ask = (method: string, path: string, body?: unknown) =>
    gateway.ask(method, `/admin/v1/prices${path}`, { key: gateway.adminKey, ...(body !== undefined && { body }) });
  const set = await ask("PUT", "", {
    model: "forecourt/*",
    team: "art",
    price: ["0.02 USD/image", "1 USD/gpu_second"],
  });
  const override = { holder: "team:art", model: "forecourt/*", price: ["0.02 USD/image", "1 USD/gpu_second"] };
  expect([set.status, await set.json()]).toEqual([200, override]);
  expect(await (await ask("GET", "")).json()).toEqual({
    models: [{ model: "forecourt/echo", price: ["0.5 USD/image"] }],
    overrides: [override],
    next: null,
  });
  const { secret } = gateway.keys.create({ name: "of art", scope: "api", team: "art" });
  const path = "/platform/v1/models/pricing?endpoint_id=forecourt/echo";
  const { prices } = await (await gateway.ask("GET", path, { key: secret })).json();
  expect(prices).toMatchObject([{ unit_price: 0.02, unit: "image", currency: "USD" }]);
  expect((await ask("PUT", "", { model: "*", price: ["free"] })).status).toBe(422);
  expect((await ask("PUT", "", { model: "*", key: "nobody", price: ["1 USD/image"] })).status).toBe(404);
  expect((await ask("DELETE", "?model=forecourt/*&team=art")).status).toBe(200);
  expect((await ask("DELETE", "?model=forecourt/*&team=art")).status).toBe(404);
  expect(gateway.oversight.audit.list({ limit: 5 })).toContainEqual(
    expect.objectContaining({ action: "DELETE /admin/v1/prices", outcome: "done", code: 200 }),
  );
});

test("a part of a path that is not properly percent-encoded is a bad request, not a fault", async () => {
  for (const [method, path] of [
    ["GET", "/admin/v1/keys/%"],
    ["DELETE", "/admin/v1/keys/%ff"],
    ["POST", "/admin/v1/webhooks/%/replay"],
  ] as const) {
    const response = await gateway.ask(method, path, { key: gateway.adminKey });
    expect([path, response.status]).toEqual([path, 400]);
    expect(await response.json()).toMatchObject({ error_type: "bad_request" });
  }
});

test("keys and limits come in pages, in an order of their own, and each is on one of them", async () => {
  await using box = await createTestGateway();
  const made = Array.from({ length: 7 }, (_, n) => box.keys.create({ name: `app ${n}`, scope: "api" }).key.id);
  for (const id of made) box.accounts.store.setLimits({ kind: "key", id }, { requestsPerMinute: 9 });
  box.accounts.store.setLimits({ kind: "team", id: "art" }, { requestsPerMinute: 9 });
  const walk = async (path: string, name: string) => {
    const pages: { id: string }[][] = [];
    for (let after = ""; ; ) {
      const answer = await box.ask("GET", `/admin/v1/${path}?limit=3${after}`, { key: box.adminKey });
      const body = await answer.json();
      pages.push(body[name]);
      if (body.next === null) return pages;
      after = `&after=${encodeURIComponent(body.next)}`;
    }
  };
  const keys = await walk("keys", "keys");
  expect(keys.map(({ length }) => length)).toEqual([3, 3, 3, 1]); // three of them are the box's own
  expect(keys.flat().map(({ id }) => id)).toEqual(
    box.keys
      .list()
      .map(({ id }) => String(id))
      .sort(),
  );
  const limits = await walk("limits", "accounts");
  expect(limits.map(({ length }) => length)).toEqual([3, 3, 2]);
  expect(limits.flat().map(({ id }) => id)).toEqual([...made.map(String).sort(), "art"]);
});

test("prices and models come in pages, and each is on one of them", async () => {
  await using box = await createTestGateway({}, ["acme/a", "acme/b", "acme/c"]);
  for (const holder of ["all", "key:k", "team:t"])
    box.accounts.store.setPrice({ holder, model: "acme/*", price: parsePrice(["1 USD/request"]) });
  const walk = async (path: string) => {
    const pages: { models: { id?: string; model?: string }[]; overrides?: { holder: string }[] }[] = [];
    for (let after = ""; ; ) {
      const answer = await box.ask("GET", `/admin/v1/${path}?limit=3${after}`, { key: box.adminKey });
      const { next, ...body } = await answer.json();
      pages.push(body);
      if (next === null) return pages;
      after = `&after=${encodeURIComponent(next)}`;
    }
  };
  const ids = ["acme/a", "acme/b", "acme/c", "forecourt/echo"];
  const models = await walk("models");
  expect(models.map((page) => page.models.map(({ id }) => String(id)))).toEqual([ids.slice(0, 3), ids.slice(3)]);
  const prices = await walk("prices");
  expect(prices.map((page) => page.models.map(({ model }) => String(model)))).toEqual([
    ...[ids.slice(0, 3), ids.slice(3), []],
  ]);
  expect(prices.map(({ overrides = [] }) => overrides.map(({ holder }) => holder))).toEqual([
    ...[[], ["all", "key:k"], ["team:t"]],
  ]);
});

test("sums of more lines than an answer holds are refused, with the way to fewer", async () => {
  await using box = await createTestGateway();
  const hour = Math.floor(Date.now() / 3_600_000) * 3_600_000;
  box.database.write(() =>
    box.database.sqlite.run(
      `WITH RECURSIVE n(at) AS (SELECT 0 UNION ALL SELECT at + 1 FROM n WHERE at < 60000)
       INSERT INTO usage_total (period, start, by, value, currency, requests, failed, cancelled, cost, run_ms, units)
       SELECT 'hour', ? - 3600000 * (at % 100), 'tag', 'job=' || at, 'USD', 1, 0, 0, 0, 0, '{}' FROM n`,
      [hour],
    ),
  );
  const since = new Date(hour - 200 * 3_600_000).toISOString();
  const usage = (query: string) =>
    box.ask("GET", `/admin/v1/usage?by=tag&since=${since}${query}`, { key: box.adminKey });
  const refused = await usage("&each=hour");
  expect(refused.status).toBe(400);
  expect((await refused.json()).detail).toContain("longer parts of it than each hour");
  expect((await usage("&each=day")).status).toBe(200);
});
