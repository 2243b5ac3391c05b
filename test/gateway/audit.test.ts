// The audit log over HTTP: every administrative act is in it, whoever did it and whatever came of it; nothing leaves it.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { operations } from "../../src/gateway/platform/operations.ts";
import { createTestGateway, type TestGateway } from "../support/test-gateway.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

const ask = (
  method: string,
  path: string,
  options: { key?: string; body?: unknown; headers?: Record<string, string> } = {},
) => gateway.ask(method, path, { key: gateway.adminKey, ...options });

type Entry = Record<string, string> & { details: Record<string, unknown>; code: number };
async function entries(query = ""): Promise<Entry[]> {
  const body = await (await ask("GET", `/admin/v1/audit${query}`)).json();
  return body.entries;
}

test("who, when, from where, what and the result of an act are written down, without the secret it made", async () => {
  const before = Date.now();
  const made = await ask("POST", "/admin/v1/keys", {
    body: { name: "for the shop" },
    headers: { "x-forwarded-for": "192.0.2.7" },
  });
  const { id, key } = await made.json();
  const [entry] = await entries();
  expect(entry).toMatchObject({
    actor: gateway.adminKey.split(":")[0],
    actor_name: "test-admin",
    origin: "unknown for 192.0.2.7",
    action: "POST /admin/v1/keys",
    details: { id, name: "for the shop", scope: "api" },
    outcome: "done",
    code: 201,
    request_id: made.headers.get("x-fal-request-id"),
  });
  expect(Date.parse(entry?.at ?? "")).toBeGreaterThanOrEqual(before);
  expect(JSON.stringify(await entries())).not.toContain(key.split(":")[1]);
});

test("refused and failed acts are written too, reading is not, and strangers cannot fill the log", async () => {
  const count = (await entries()).length;
  await ask("GET", "/admin/v1/keys");
  await ask("DELETE", "/admin/v1/keys/nobody", { key: "" });
  expect(await entries()).toHaveLength(count);
  await ask("DELETE", "/admin/v1/keys/nobody");
  await ask("POST", "/admin/v1/keys", { key: gateway.apiKey, body: { name: "mine", scope: "admin" } });
  const [forbidden, missing] = await entries();
  expect(forbidden).toMatchObject({ outcome: "refused", code: 403, actor: gateway.apiKey.split(":")[0] });
  expect(missing).toMatchObject({ outcome: "refused", code: 404, action: "DELETE /admin/v1/keys/nobody" });
});

test("a key that may not administer cannot fill the log: of its attempts a hundred an hour are in it, and the last says so", async () => {
  const { secret, key } = gateway.keys.create({ name: "curious", scope: "api" });
  for (let attempt = 0; attempt < 150; attempt++)
    expect((await ask("DELETE", "/admin/v1/keys/nobody", { key: secret })).status).toBe(403);
  const written = await entries(`?actor=${key.id}&limit=1000`);
  expect(written).toHaveLength(100);
  const isLast = written.map(({ details }) => "note" in details);
  expect([isLast[0], isLast.filter(Boolean).length]).toEqual([true, 1]);
  await ask("DELETE", "/admin/v1/keys/nobody");
  expect((await entries())[0]?.actor).toBe(gateway.adminKey.split(":")[0] ?? "");
});

test("every administrative route that changes something leaves an entry", async () => {
  const routes = gateway.app.routes.filter(({ method, path }) => path.startsWith("/admin/") && method !== "GET");
  expect(routes.length).toBeGreaterThan(2);
  for (const { method, path } of routes) {
    const count = (await entries("?limit=1000")).length;
    await ask(method, path.replace("*", "some").replace(/:\w+/g, "some"), { body: {} });
    expect(`${method} ${path} ${(await entries("?limit=1000")).length - count}`).toBe(`${method} ${path} 1`);
  }
});

test("an act is written down once, by whichever way it came in", async () => {
  const ways: { path: string; headers: Record<string, string> }[] = [
    { path: "/platform/v1/keys", headers: {} },
    { path: "/platform//v1/keys/", headers: {} },
    { path: "http://api.fal.ai/v1/keys", headers: {} },
    { path: "/fal/proxy", headers: { "x-fal-target-url": "https://api.fal.ai/v1/keys" } },
  ];
  for (const { path, headers } of ways) {
    const count = (await entries("?limit=1000")).length;
    const url = new URL(path, "http://box.test");
    const response = await gateway.app.handle(
      new Request(url, {
        method: "POST",
        headers: { authorization: `Key ${gateway.adminKey}`, "content-type": "application/json", ...headers },
        body: JSON.stringify({ alias: "made" }),
      }),
    );
    const { key_id } = await response.json();
    const [entry, ...others] = await entries("?limit=1000");
    expect({ path, entry, count: others.length }).toMatchObject({
      entry: { outcome: "done", code: 201, details: { key_id } },
      count,
    });
    expect(entry?.action?.replace(/\/$/, "")).toBe("POST /platform/v1/keys");
  }
});

test("every operation of the platform API that needs an administrator and changes something leaves an entry", async () => {
  const changes = operations.filter(({ access, method }) => access === "admin" && method !== "GET");
  expect(changes.length).toBeGreaterThan(2);
  for (const { method, path } of changes) {
    const count = (await entries("?limit=1000")).length;
    const place = `/platform/v1${path.replace(/{\w+}/g, "some")}`;
    await ask(method, place, { body: {} });
    await ask(method, place, { body: {}, key: gateway.apiKey });
    const [refused, done] = await entries("?limit=1000");
    expect([refused, done]).toMatchObject([
      { action: `${method} ${place}`, code: 403 },
      { action: `${method} ${place}` },
    ]);
    expect(`${place} ${(await entries("?limit=1000")).length - count}`).toBe(`${place} 2`);
  }
});

test("pages follow each other, and can be limited to an actor or a time", async () => {
  const all = await entries("?limit=1000");
  const first = await (await ask("GET", "/admin/v1/audit?limit=2")).json();
  const second = await (await ask("GET", `/admin/v1/audit?limit=2&before=${first.next}`)).json();
  expect([...first.entries, ...second.entries]).toEqual(all.slice(0, 4));
  const api = gateway.apiKey.split(":")[0];
  expect((await entries(`?actor=${api}`)).every(({ actor }) => actor === api)).toBe(true);
  expect(await entries("?since=2999-01-01")).toEqual([]);
  for (const wrong of ["since=yesterday", "limit=null", "limit=null&limit=null", "limits=2"])
    expect({ wrong, status: (await ask("GET", `/admin/v1/audit?${wrong}`)).status }).toEqual({ wrong, status: 422 });
});

test("entries can be neither changed nor removed", () => {
  const change = (sql: string) => () => gateway.database.sqlite.run(sql);
  expect(change("UPDATE audit_entry SET actor = 'nobody'")).toThrow(/never changed/);
  expect(change("DELETE FROM audit_entry")).toThrow(/never changed/);
});
