import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { operations } from "../../../src/gateway/platform/operations.ts";
import { proved } from "../../support/conformance.ts";
import { createTestGateway, type TestGateway } from "../../support/test-gateway.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

const V1 = "/platform/v1";
const get = (path: string, key = gateway.apiKey) => gateway.ask("GET", `${V1}${path}`, { key });
const json = async (path: string, key?: string) => await (await get(path, key)).json();
const run = (prompt: unknown, key = gateway.apiKey) =>
  gateway.ask("POST", "/run/fal-ai/echo/fast", { key, body: { prompt } });
const idOf = (response: Response) => response.headers.get("x-fal-request-id") ?? "";

describe("every operation", () => {
  const path = (pattern: string) => pattern.replaceAll(/\{\w+\}/g, "some");

  test("refuses a caller without a key, in the platform's shape, unless it is open", async () => {
    for (const operation of operations) {
      const response = await gateway.ask(operation.method, `${V1}${path(operation.path)}`, { key: "" });
      const isOpen = operation.access === "open";
      expect(`${operation.path} ${response.status}`).toBe(`${operation.path} ${isOpen ? 200 : 401}`);
      if (isOpen) continue;
      const { error } = await response.json();
      expect(error).toEqual({
        type: "authorization_error",
        message: expect.stringContaining("No key given"),
        request_id: response.headers.get("x-fal-request-id"),
      });
    }
  });

  test("that needs the admin scope refuses other keys", async () => {
    const forAdmins = operations.filter(({ access }) => access === "admin");
    expect(forAdmins.length).toBeGreaterThan(3);
    for (const { method, path: pattern } of forAdmins) {
      const response = await gateway.ask(method, `${V1}${path(pattern)}`);
      expect(`${pattern} ${response.status}`).toBe(`${pattern} 403`);
    }
  });

  test("is in the document of the box, with its parameters, body, answer and errors", async () => {
    const document = await (await gateway.ask("GET", "/swagger/json", { key: "" })).json();
    for (const { method, path, status, result } of operations) {
      const described = document.paths[`${V1}${path}`][method.toLowerCase()];
      expect(described.summary.length).toBeGreaterThan(10);
      const answer = described.responses[status];
      if (result) expect(answer.content["application/json"].schema).toBeObject();
      expect(described.responses[400].content["application/json"].schema.$ref).toEndWith("/PlatformError");
    }
    const list = document.paths[`${V1}/models`].get;
    expect(list.parameters.map(({ name }: { name: string }) => name)).toEqual(
      expect.arrayContaining(["q", "limit", "cursor", "endpoint_id", "expand"]),
    );
  });

  test("answers under fal's own host name too", async () => {
    const response = await gateway.ask("GET", "https://api.fal.ai/v1/models?q=echo", { key: "" });
    expect((await response.json()).models[0].endpoint_id).toBe("forecourt/echo");
    expect((await gateway.ask("GET", "https://api.fal.ai/v1/keys", { key: "" })).status).toBe(401);
    proved("http", "platform");
  });

  test("what fal has and a box has no use for is not implemented, with the way to what there is; strangers learn nothing", async () => {
    for (const [method, path, instead] of [
      ["GET", "account/focus", "/platform/v1/models/usage"],
      ["GET", "account/model-access-controls", "/admin/v1/keys"],
      ["GET", "assets", "/rest/storage/upload/initiate"],
      ["POST", "assets/collections/some", "/rest/storage/upload/initiate"],
      ["POST", "compute/instances", "/admin/v1/status"],
      ["DELETE", "serverless/apps/me/mine/queue", "/admin/v1/queue"],
      ["GET", "organization/teams?limit=1", "/admin/v1/usage?by=team"],
    ] as const) {
      const response = await gateway.ask(method, `${V1}/${path}`);
      expect(`${path} ${response.status}`).toBe(`${path} 501`);
      const { error } = await response.json();
      expect(error).toEqual({
        type: "not_implemented",
        message: expect.stringContaining(instead),
        request_id: response.headers.get("x-fal-request-id"),
      });
      expect((await gateway.ask(method, `${V1}/${path}`, { key: "" })).status).toBe(401);
    }
    expect((await gateway.ask("GET", "https://api.fal.ai/v1/compute/instances")).status).toBe(501);
    for (const path of ["/platform/v1/assetsx", "/platform/v2/assets"])
      expect((await gateway.ask("GET", path)).status).toBe(404);
  });

  test("unknown paths and methods are told in the platform's shape", async () => {
    for (const [method, path, status] of [
      ["GET", "/platform/v1/nothing", 404],
      ["GET", "/platform/v2/models", 404],
      ["PATCH", "/platform/v1/keys", 405],
      ["DELETE", "/platform/v1/keys/%E0%A4%A", 400],
    ] as const) {
      const response = await gateway.ask(method, path, { key: gateway.adminKey });
      expect(`${path} ${response.status}`).toBe(`${path} ${status}`);
      expect((await response.json()).error.message).toBeString();
    }
  });
});

describe("models", () => {
  test("are found by words of id, alias, title and tags, and by category", async () => {
    for (const query of ["q=ECHO", "q=fal-ai%2Fecho", "q=prompt%20back", "category=text-to-text", "status=active"])
      expect((await json(`/models?${query}`)).models, query).toHaveLength(1);
    for (const query of ["q=echo%20zebra", "category=video", "status=deprecated"])
      expect((await json(`/models?${query}`)).models, query).toHaveLength(0);
  });

  test("have fal's metadata", async () => {
    const { models, next_cursor, has_more } = await json("/models", "");
    expect({ next_cursor, has_more }).toEqual({ next_cursor: null, has_more: false });
    expect(models[0].metadata).toMatchObject({
      display_name: "Echo",
      category: "text-to-text",
      status: "active",
      license_type: "commercial",
      kind: "inference",
      is_favorited: null,
      model_url: "http://localhost/run/forecourt/echo",
      aliases: ["fal-ai/echo/fast"],
    });
    expect(Date.parse(models[0].metadata.updated_at)).toBeGreaterThan(0);
    expect(models[0].openapi).toBeUndefined();
  });

  test("are looked up by id or alias, repeated or joined, with their own documents", async () => {
    const query = "endpoint_id=fal-ai/echo/fast,forecourt/echo&endpoint_id=none/such&expand=openapi-3.0";
    const { models } = await json(`/models?${query}`);
    expect(models.map(({ endpoint_id }: { endpoint_id: string }) => endpoint_id)).toEqual([
      "fal-ai/echo/fast",
      "forecourt/echo",
    ]);
    expect(models[0].openapi.info["x-fal-metadata"].endpointId).toBe("fal-ai/echo/fast");
    expect(Object.keys(models[0].openapi.components.schemas)).toContain("EchoFastInput");
    expect((await get("/models?endpoint_id=none/such")).status).toBe(404);
  });

  test("come in pages, by cursors that mean nothing to callers", async () => {
    const first = await json("/models?endpoint_id=fal-ai/echo/fast,forecourt/echo&limit=1");
    expect(first.has_more).toBe(true);
    const second = await json(
      `/models?endpoint_id=fal-ai/echo/fast,forecourt/echo&limit=1&cursor=${first.next_cursor}`,
    );
    expect(second).toMatchObject({ has_more: false, next_cursor: null });
    expect([first, second].map(({ models }) => models[0].endpoint_id)).toEqual(["fal-ai/echo/fast", "forecourt/echo"]);
  });

  test("wrong parameters are named", async () => {
    for (const [query, word] of [
      ["limit=0", "limit"],
      ["limit=many", "limit"],
      ["cursor=zzz", "cursor"],
      ["cursor=WzEsMl0", "cursor"],
      ["cursor=Wy0xXQ", "cursor"],
      ["expand=everything", "expand"],
      ["status=old", "status"],
      [`endpoint_id=${Array(60).fill("a/b").join(",")}`, "endpoint_id"],
    ]) {
      const response = await get(`/models?${query}`);
      const { error } = await response.json();
      expect(`${query} ${response.status} ${error.type}`).toBe(`${query} 400 validation_error`);
      expect(error.message).toContain(String(word));
    }
  });
});

describe("requests by endpoint", () => {
  test("are those of the caller's key; an admin sees all", async () => {
    const other = gateway.keys.create({ name: "other", scope: "api" }).secret;
    const mine = idOf(await run("mine"));
    const theirs = idOf(await run("theirs", other));
    const ids = async (key: string) =>
      (await json("/models/requests/by-endpoint?endpoint_id=forecourt/echo", key)).items.map(
        ({ request_id }: { request_id: string }) => request_id,
      );
    expect(await ids(other)).toEqual([theirs]);
    expect(await ids(gateway.apiKey)).toContain(mine);
    expect(await ids(gateway.apiKey)).not.toContain(theirs);
    expect(await ids(gateway.adminKey)).toEqual(expect.arrayContaining([mine, theirs]));
  });

  test("tell when, how and how long, and with payloads what", async () => {
    const id = idOf(await run("what"));
    const path = `/models/requests/by-endpoint?endpoint_id=fal-ai/echo/fast&request_id=${id}`;
    const [bare] = (await json(path)).items;
    expect(Object.keys(bare)).not.toContain("json_input");
    const [item] = (await json(`${path}&expand=payloads`)).items;
    expect(item).toMatchObject({
      ...{ request_id: id, endpoint_id: "fal-ai/echo/fast", status_code: 200 },
      json_input: { prompt: "what", steps: 1 },
      json_output: { prompt: "what", steps: 1 },
    });
    expect(item.duration).toBeGreaterThanOrEqual(0);
    expect(Date.parse(item.sent_at)).toBeLessThanOrEqual(Date.parse(item.ended_at));
    expect((await json(path.replace("fal-ai/echo/fast", "some/other"))).items).toEqual([]);
    expect((await json(`${path}&end=2001-01-01`)).items).toEqual([]);
  });

  test("show no payloads of who asked for none to be kept", async () => {
    const headers = { "x-fal-store-io": "0" };
    const id = idOf(await gateway.ask("POST", "/run/forecourt/echo", { body: { prompt: "secret" }, headers }));
    for (const more of ["", `&request_id=${id}`]) {
      const path = `/models/requests/by-endpoint?endpoint_id=forecourt/echo&expand=payloads${more}`;
      const { items } = await json(path);
      const item = items.find(({ request_id }: { request_id: string }) => request_id === id);
      expect(item).toMatchObject({ status_code: 200, json_input: null, json_output: null });
    }
    expect(await (await gateway.ask("GET", `/queue/forecourt/echo/requests/${id}`)).json()).toMatchObject({
      prompt: "secret",
    });
  });

  test("are told apart by how they ended", async () => {
    const key = gateway.keys.create({ name: "apart", scope: "api" }).secret;
    const good = idOf(await run("good", key));
    const submitted = await gateway.ask("POST", "/queue/forecourt/echo", { key, body: { prompt: 5 } });
    const { request_id: bad } = await submitted.json();
    const ids = async (status: string) =>
      (await json(`/models/requests/by-endpoint?endpoint_id=forecourt/echo&status=${status}`, key)).items.map(
        ({ request_id, status_code }: { request_id: string; status_code: number }) => `${request_id} ${status_code}`,
      );
    expect(await ids("success")).toEqual([`${good} 200`]);
    expect(await ids("user_error")).toEqual([`${bad} 422`]);
    expect(await ids("error")).toEqual([]);
  });

  test.each(["ended_at", "duration"])("come in pages by %s, none twice and none left out", async (order) => {
    const key = gateway.keys.create({ name: `pages ${order}`, scope: "api" }).secret;
    const made = new Set<string>();
    for (let at = 0; at < 7; at++) made.add(idOf(await run(`page ${at}`, key)));
    const seen: string[] = [];
    let cursor = "";
    for (let page = 0; page < 4; page++) {
      const path = `/models/requests/by-endpoint?endpoint_id=forecourt/echo&limit=2&sort_by=${order}${cursor}`;
      const { items, next_cursor, has_more } = await json(path, key);
      seen.push(...items.map(({ request_id }: { request_id: string }) => request_id));
      expect(has_more).toBe(page < 3);
      cursor = `&cursor=${next_cursor}`;
    }
    expect(seen).toHaveLength(7);
    expect(new Set(seen)).toEqual(made);
  });

  test("the longest of many are looked for in parts, between which other work is done", async () => {
    await using box = await createTestGateway();
    const { sqlite } = box.database;
    await box.ask("POST", "/run/fal-ai/echo/fast", { body: { prompt: "hi" } });
    const columns = sqlite
      .query("SELECT name FROM pragma_table_info('job')")
      .values()
      .map(([name]) => String(name));
    const values = { id: "'j' || printf('%05d', n)", started_at: "finished_at - (n * 7919) % 10007" };
    const taken = columns.map((name) => (name in values ? values[name as keyof typeof values] : name));
    box.database.write(() =>
      sqlite.run(
        `WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 9000)
         INSERT INTO job (${columns.join(", ")}) SELECT ${taken.join(", ")} FROM c, job WHERE id NOT LIKE 'j%'`,
      ),
    );
    const path = `${V1}/models/requests/by-endpoint?endpoint_id=fal-ai/echo/fast&sort_by=duration&limit=3`;
    let turns = 0;
    const turn = () => {
      turns++;
      immediate = setImmediate(turn);
    };
    let immediate = setImmediate(turn);
    const durations: number[] = [];
    for (let cursor = ""; durations.length < 6; ) {
      const { items, next_cursor } = await (await box.ask("GET", path + cursor)).json();
      durations.push(...items.map(({ duration }: { duration: number }) => duration));
      cursor = `&cursor=${next_cursor}`;
    }
    clearImmediate(immediate);
    const expected = Array.from({ length: 9000 }, (_, n) => (((n + 1) * 7919) % 10007) / 1000).sort((a, b) => b - a);
    expect(durations).toEqual(expected.slice(0, 6));
    expect(turns).toBeGreaterThanOrEqual(8);
  });

  test("a range that is none is refused", async () => {
    for (const range of ["start=yesterday", "start=2026-01-02&end=2026-01-01", "end=2026-13-01"])
      expect((await get(`/models/requests/by-endpoint?endpoint_id=forecourt/echo&${range}`)).status, range).toBe(400);
    expect((await get("/models/requests/by-endpoint")).status).toBe(400);
  });
});

describe("deleting payloads", () => {
  let held: TestGateway;
  beforeAll(async () => {
    held = await createTestGateway();
    held.holdRuns();
  });
  afterAll(() => held[Symbol.asyncDispose]());

  test("takes input, output and files away; the request and its figures stay", async () => {
    const body = { prompt: "secret" };
    const { request_id: id } = await (await held.ask("POST", "/queue/forecourt/echo", { body })).json();
    const running = await held.nextRun();
    const path = `${V1}/models/requests/${id}/payloads`;
    expect((await held.ask("DELETE", path, { key: held.adminKey })).status).toBe(400);
    const url = running.save("picture.png", "bytes");
    running.finish({ prompt: "secret", images: [{ url }] });
    const result = `/queue/forecourt/echo/requests/${id}`;
    await (await held.ask("GET", `${result}/status/stream`)).text();
    const output = await held.ask("GET", result);
    const [{ url: file }] = (await output.json()).images;
    expect((await held.ask("GET", file, { key: "" })).status).toBe(200);

    const deleted = await held.ask("DELETE", path, { key: held.adminKey });
    expect(await deleted.json()).toEqual({ cdn_delete_results: [{ link: file, exception: null }] });
    expect((await held.ask("GET", file, { key: "" })).status).toBe(404);
    expect((await held.ask("GET", result)).status).toBe(404);
    const listed = await held.ask(
      "GET",
      `${V1}/models/requests/by-endpoint?endpoint_id=forecourt/echo&expand=payloads`,
    );
    const { items } = await listed.json();
    expect(items).toMatchObject([{ request_id: id, status_code: 200, json_input: {}, json_output: null }]);
    expect(JSON.stringify(items)).not.toContain("secret");
  });

  test("a failed request forgets the wrong values", async () => {
    const body = { prompt: { my: "secret" } };
    const { request_id: id } = await (await held.ask("POST", "/queue/forecourt/echo", { body })).json();
    const result = () => held.ask("GET", `/queue/forecourt/echo/requests/${id}`);
    expect(await (await result()).text()).toContain("secret");
    await held.ask("DELETE", `${V1}/models/requests/${id}/payloads`, { key: held.adminKey });
    const after = await result();
    expect(after.status).toBe(422);
    expect(await after.text()).not.toContain("secret");
  });

  test("of an unknown request is a 404", async () => {
    const response = await held.ask("DELETE", `${V1}/models/requests/none/payloads`, { key: held.adminKey });
    expect(response.status).toBe(404);
  });
});

describe("keys", () => {
  const admin = (method: string, path: string, more: { body?: unknown; headers?: Record<string, string> } = {}) =>
    gateway.ask(method, `${V1}${path}`, { key: gateway.adminKey, ...more });

  test("are made, work, are listed without their secret, and end", async () => {
    const created = await admin("POST", "/keys", { body: { alias: "ci" } });
    expect(created.status).toBe(201);
    const { key_id, key_secret, key } = await created.json();
    expect(key).toBe(`${key_id}:${key_secret}`);
    expect((await run("by the new key", key)).status).toBe(200);
    const listed = await (await admin("GET", "/keys")).text();
    expect(listed).toContain(key_id);
    expect(listed).not.toContain(key_secret);
    expect((await admin("DELETE", `/keys/${key_id}`)).status).toBe(204);
    expect((await run("too late", key)).status).toBe(401);
    expect(await (await admin("GET", "/keys")).text()).not.toContain(key_id);
    expect((await admin("DELETE", "/keys/none")).status).toBe(204);
  });

  test("come in pages", async () => {
    const all = (await (await admin("GET", "/keys")).json()).keys;
    const seen = [];
    for (let cursor = ""; ; ) {
      const { keys, next_cursor } = await (await admin("GET", `/keys?limit=2${cursor}`)).json();
      seen.push(...keys);
      if (next_cursor === null) break;
      cursor = `&cursor=${next_cursor}`;
    }
    expect(seen).toEqual(all);
  });

  test("the same Idempotency-Key makes one key, however often and however fast it comes", async () => {
    const headers = { "idempotency-key": "once" };
    const body = { alias: "idempotent" };
    const asked = await Promise.all(Array.from({ length: 5 }, () => admin("POST", "/keys", { body, headers })));
    const made = await Promise.all(asked.map((response) => response.json()));
    expect(new Set(made.map(({ key }) => key)).size).toBe(1);
    const { keys } = await (await admin("GET", "/keys")).json();
    expect(keys.filter(({ alias }: { alias: string }) => alias === "idempotent")).toHaveLength(1);
    const other = await admin("POST", "/keys", { body: { alias: "another" }, headers });
    expect(other.status).toBe(400);
    expect((await other.json()).error.message).toContain("Idempotency-Key");
  });
});

test("meta names the addresses of this box", async () => {
  const { webhook_ip_ranges } = await json("/meta", "");
  for (const range of webhook_ip_ranges) expect(range).toMatch(/^[\d.]+\/32$|^[\da-f:]+\/128$/i);
});
