import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { instant } from "../../src/core/units.ts";
import { PUBLIC_ROUTES } from "../support/public-routes.ts";
import { createTestGateway, type TestGateway } from "../support/test-gateway.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

const routes = () => gateway.app.routes.map(({ method, path }) => ({ method, path }));
const example = (path: string) => path.replace("*", "forecourt/echo").replace(/:\w+/g, "some");
const isPublic = ({ method, path }: { method: string; path: string }) => PUBLIC_ROUTES.includes(`${method} ${path}`);

describe("the guard", () => {
  test("every route outside the short public list refuses a caller without a key", async () => {
    const guarded = routes().filter((route) => !isPublic(route));
    expect(guarded.length).toBeGreaterThan(5);
    for (const { method, path } of guarded)
      for (const verb of method === "ALL" ? ["GET", "POST", "PUT", "DELETE", "PATCH"] : [method]) {
        const response = await gateway.ask(verb, example(path), { key: "" });
        expect(`${verb} ${path} ${response.status}`).toBe(`${verb} ${path} 401`);
      }
  });

  test("the public list names only routes that exist", () => {
    const known = routes().map(({ method, path }) => `${method} ${path}`);
    expect(known).toEqual(expect.arrayContaining(PUBLIC_ROUTES));
  });

  test("every admin route refuses a key without the admin scope", async () => {
    const forAdmins = routes().filter(({ path }) => path.startsWith("/admin/"));
    expect(forAdmins.length).toBeGreaterThan(3);
    for (const { method, path } of forAdmins) {
      const response = await gateway.ask(method, example(path));
      expect(`${method} ${path} ${response.status}`).toBe(`${method} ${path} 403`);
    }
  });

  test("fal's own host names need a key too", async () => {
    for (const url of ["https://fal.run/forecourt/echo", "https://queue.fal.run/forecourt/echo"])
      expect((await gateway.ask("POST", url, { key: "" })).status).toBe(401);
  });

  test("Key and Bearer are the same, in any case and spacing", async () => {
    for (const scheme of ["Key ", "Bearer ", "key ", "BEARER  "]) {
      const headers = { authorization: `${scheme}${gateway.apiKey}` };
      const response = await gateway.ask("POST", "/run/forecourt/echo", { key: "", headers, body: { prompt: "hi" } });
      expect(`${scheme}${response.status}`).toBe(`${scheme}200`);
    }
  });

  test("a header that is no key is refused with a sentence that says what is expected", async () => {
    const id = gateway.apiKey.split(":")[0];
    for (const authorization of [
      "",
      "Key",
      "Basic abc",
      "Key abc",
      "Key a:b",
      "Key a:b c",
      `Key ${id}:`,
      `Key ${id}:ff`,
    ]) {
      const response = await gateway.ask("POST", "/run/forecourt/echo", { key: "", headers: { authorization } });
      expect(`${authorization} ${response.status}`).toBe(`${authorization} 401`);
      expect(Object.keys(await response.json())).toEqual(["detail"]);
      expect(response.headers.get("www-authenticate")).toContain("Key");
    }
  });

  test("a revoked and an expired key are refused", async () => {
    const revoked = gateway.keys.create({ name: "gone", scope: "api" });
    gateway.keys.revoke(revoked.key.id);
    const expired = gateway.keys.create({ name: "old", scope: "api", expiresAt: instant(1) });
    for (const { secret } of [revoked, expired])
      expect((await gateway.ask("GET", "/queue/forecourt/echo/requests/x", { key: secret })).status).toBe(401);
  });

  test("a key for metrics may not run models", async () => {
    const { secret } = gateway.keys.create({ name: "prometheus", scope: "metrics" });
    for (const face of ["run", "queue"]) {
      const response = await gateway.ask("POST", `/${face}/forecourt/echo`, { key: secret, body: { prompt: "hi" } });
      expect(response.status).toBe(403);
    }
  });

  test("an unknown path is a 404 with or without a key, a known one with another method a 405", async () => {
    expect((await gateway.ask("GET", "/nothing/here", { key: "" })).status).toBe(404);
    expect((await gateway.ask("GET", "/nothing/here")).status).toBe(404);
    const response = await gateway.ask("DELETE", "/health");
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET, HEAD");
  });

  test("nothing that callers do wrong is logged above debug", async () => {
    expect(gateway.logged.filter(({ level }) => level !== "debug" && level !== "info")).toEqual([]);
    expect(gateway.logged.some(({ code }) => code === "unauthenticated")).toBe(true);
  });
});
