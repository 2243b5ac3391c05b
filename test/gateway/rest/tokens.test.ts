import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { systemClock } from "../../../src/core/clock.ts";
import { createTestGateway, type TestGateway } from "../../support/test-gateway.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

const tokenFor = async (body: unknown, path = "/rest/tokens/"): Promise<string> => {
  const response = await gateway.ask("POST", path, { body });
  expect(response.status).toBe(200);
  return await response.json();
};

const stream = (token: string, path = "/run/forecourt/echo/stream", key = "") =>
  gateway.ask("POST", `${path}?fal_jwt_token=${token}`, { key, body: { prompt: "hi" } });

describe("a token for apps", () => {
  test("is a bare string at /tokens/ and an object at /tokens/realtime, by path, proxy and host name", async () => {
    const body = { allowed_apps: ["echo"], token_expiration: 120 };
    expect(typeof (await tokenFor(body))).toBe("string");
    expect(typeof (await tokenFor(body, "/rest/tokens"))).toBe("string");
    expect(typeof (await tokenFor(body, "https://rest.fal.ai/tokens/"))).toBe("string");
    expect(typeof (await tokenFor(body, "https://rest.alpha.fal.ai/tokens/"))).toBe("string");
    const headers = { "x-fal-target-url": "https://rest.fal.ai/tokens/" };
    expect(typeof (await (await gateway.ask("POST", "/fal/proxy", { headers, body })).json())).toBe("string");
    expect(await tokenFor({ app: "forecourt/echo/realtime", duration: 9 }, "/rest/tokens/realtime")).toEqual(
      expect.objectContaining({ token: expect.any(String) }),
    );
  });

  test("opens the stream of its alias, of its path, and of no other endpoint", async () => {
    for (const app of ["echo", "forecourt/echo", "forecourt/echo/stream"]) {
      const response = await stream(await tokenFor({ allowed_apps: [app] }));
      expect(`${app} ${response.status}`).toBe(`${app} 200`);
      expect(await response.text()).toContain('data: {"prompt":"hi","steps":1}');
    }
    for (const app of ["flux", "fal-ai/echo", "forecourt/echo/realtime"])
      expect((await stream(await tokenFor({ allowed_apps: [app] }))).status).toBe(403);
  });

  test("opens it under fal's own host name too", async () => {
    const response = await stream(await tokenFor({ allowed_apps: ["echo"] }), "https://fal.run/forecourt/echo/stream");
    expect(response.status).toBe(200);
    await response.text();
  });

  test.each([
    "/run/forecourt/echo",
    "/queue/forecourt/echo",
    "/queue/forecourt/echo/stream",
    "/rest/tokens/",
    "/admin/v1/keys",
    "/fal/proxy",
    "https://queue.fal.run/forecourt/echo/stream",
    "https://rest.fal.ai/tokens/stream",
  ])("does not open %s", async (path) => {
    const token = await tokenFor({ allowed_apps: ["echo", "v1", "proxy", "forecourt/echo"] });
    expect((await stream(token, path)).status).toBe(401);
  });

  test("that is wrong, expired or of an ended key is refused; a key sent along counts instead", async () => {
    expect((await stream("nonsense")).status).toBe(401);
    expect((await stream("nonsense", undefined, gateway.apiKey)).status).toBe(200);
    const { key, secret } = gateway.keys.create({ name: "short", scope: "api" });
    const token = await (
      await gateway.ask("POST", "/rest/tokens/", { key: secret, body: { allowed_apps: ["echo"] } })
    ).json();
    gateway.keys.revoke(key.id);
    expect((await stream(token)).status).toBe(401);
  });

  test.each([
    [{}, "allowed_apps"],
    [{ allowed_apps: [] }, "allowed_apps"],
    [{ allowed_apps: "echo" }, "allowed_apps"],
    [{ allowed_apps: ["echo"], token_expiration: 0 }, "token_expiration"],
    [{ allowed_apps: ["echo"], duration: 86_401 }, "duration"],
  ])("is not given for %j", async (body, field) => {
    const response = await gateway.ask("POST", "/rest/tokens/", { body });
    expect(response.status).toBe(422);
    expect((await response.json()).detail[0].loc).toContain(field);
  });

  test("needs a key that may use models", async () => {
    const metrics = gateway.keys.create({ name: "metrics", scope: "metrics" }).secret;
    expect((await gateway.ask("POST", "/rest/tokens/", { key: metrics, body: { app: "x" } })).status).toBe(403);
    expect((await gateway.ask("POST", "/rest/tokens/", { key: "", body: { app: "x" } })).status).toBe(401);
    expect((await gateway.ask("GET", "/rest/tokens/")).status).toBe(405);
    expect((await gateway.ask("POST", "/rest/other", { body: {} })).status).toBe(404);
  });
});

describe("a token for the CDN", () => {
  test("has the shape that Python's client compares times with", async () => {
    const response = await gateway.ask("POST", "/rest/storage/auth/token?storage_type=fal-cdn-v3", { body: {} });
    const { token, token_type, base_url, expires_at } = await response.json();
    expect({ token_type, base_url }).toEqual({ token_type: "Bearer", base_url: "http://localhost/cdn" });
    expect(expires_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/);
    expect(Date.parse(expires_at) - systemClock.now()).toBeGreaterThan(23 * 3_600_000);
    expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  });

  test("asked for by fal's host name it leads to fal's CDN name", async () => {
    const response = await gateway.ask("POST", "https://rest.fal.ai/storage/auth/token", { body: {} });
    expect((await response.json()).base_url).toBe("https://v3.fal.media");
  });

  test("opens neither models nor anything of rest", async () => {
    const { token } = await (await gateway.ask("POST", "/rest/storage/auth/token", { body: {} })).json();
    const headers = { authorization: `Bearer ${token}` };
    for (const path of ["/run/forecourt/echo", "/rest/tokens/", "/rest/storage/auth/token"])
      expect((await gateway.ask("POST", path, { key: "", headers, body: {} })).status).toBe(401);
  });
});
