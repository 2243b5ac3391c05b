// Every route with every kind of key, from the table of routes: nobody is in where they don't belong.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { instant } from "../../src/core/units.ts";
import { PUBLIC_ROUTES } from "../support/public-routes.ts";
import { createTestGateway, type TestGateway } from "../support/test-gateway.ts";

let gateway: TestGateway;
let keys: Record<string, string>;
beforeAll(async () => {
  gateway = await createTestGateway();
  const make = (key: Partial<Parameters<TestGateway["keys"]["create"]>[0]>) =>
    gateway.keys.create({ name: "matrix", scope: "api", ...key });
  const revoked = make({});
  gateway.keys.revoke(revoked.key.id);
  keys = {
    none: "",
    wrong: `${gateway.apiKey.split(":")[0]}:${"0".repeat(32)}`,
    revoked: revoked.secret,
    expired: make({ expiresAt: instant(1) }).secret,
    metrics: make({ scope: "metrics" }).secret,
    otherModel: make({ models: ["other/*"] }).secret,
    api: make({}).secret,
    admin: make({ scope: "admin" }).secret,
  };
});
afterAll(() => gateway[Symbol.asyncDispose]());

const NOBODY = ["none", "wrong", "revoked", "expired"];
const example = (path: string) => path.replace("*", "forecourt/echo").replace(/:\w+/g, "some");
const guarded = () =>
  gateway.app.routes
    .map(({ method, path }) => ({ method, path }))
    .filter(({ method, path }) => !PUBLIC_ROUTES.includes(`${method} ${path}`) && method !== "WS")
    .flatMap(({ method, path }) =>
      (method === "ALL" ? ["GET", "POST", "PUT", "DELETE", "PATCH"] : [method]).map((verb) => ({ verb, path })),
    );
const ask = async (verb: string, path: string, who: string) =>
  (await gateway.ask(verb, example(path), { key: keys[who] ?? "", ...(verb !== "GET" && { body: { prompt: "hi" } }) }))
    .status;

test("no route outside the public list lets in a caller without a key, or with a wrong, revoked or expired one", async () => {
  expect(guarded().length).toBeGreaterThan(30);
  for (const { verb, path } of guarded())
    for (const who of NOBODY)
      expect(`${verb} ${path} ${who} ${await ask(verb, path, who)}`).toBe(`${verb} ${path} ${who} 401`);
});

test("admin routes are for admins alone", async () => {
  for (const { verb, path } of guarded().filter(({ path }) => path.startsWith("/admin/"))) {
    for (const who of ["metrics", "otherModel", "api"])
      expect(`${verb} ${path} ${who} ${await ask(verb, path, who)}`).toBe(`${verb} ${path} ${who} 403`);
    expect([401, 403]).not.toContain(await ask(verb, path, "admin"));
  }
});

test("models run for keys of the right scope and model, on every face", async () => {
  for (const path of ["/run/*", "/queue/*"]) {
    for (const who of ["metrics", "otherModel"])
      expect(`${path} ${who} ${await ask("POST", path, who)}`).toBe(`${path} ${who} 403`);
    for (const who of ["api", "admin"])
      expect(`${path} ${who} ${await ask("POST", path, who)}`).toBe(`${path} ${who} 200`);
  }
});
