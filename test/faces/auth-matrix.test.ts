// Every route with every kind of key, from the table of routes: nobody is in where they don't belong.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { PERMISSIONS } from "../../src/control/keys/permissions.ts";
import { instant } from "../../src/core/units.ts";
import { SOCKET_ROOTS } from "../../src/gateway/fal/sockets.ts";
import type { Operation } from "../../src/gateway/platform/operation.ts";
import { operations } from "../../src/gateway/platform/operations.ts";
import { PUBLIC_ROUTES } from "../support/public-routes.ts";
import { sendRaw } from "../support/raw-request.ts";
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
    files: make({ permissions: ["assets:read"] }).secret,
    models: make({ permissions: ["models:run"] }).secret,
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
    for (const who of ["metrics", "otherModel", "files", "api"])
      expect(`${verb} ${path} ${who} ${await ask(verb, path, who)}`).toBe(`${verb} ${path} ${who} 403`);
    expect([401, 403]).not.toContain(await ask(verb, path, "admin"));
  }
});

test("models run for keys of the right scope and model, on every face", async () => {
  for (const path of ["/run/*", "/queue/*"]) {
    for (const who of ["metrics", "otherModel", "files"])
      expect(`${path} ${who} ${await ask("POST", path, who)}`).toBe(`${path} ${who} 403`);
    for (const who of ["models", "api", "admin"])
      expect(`${path} ${who} ${await ask("POST", path, who)}`).toBe(`${path} ${who} 200`);
  }
});

describe("the platform API, from its own table", () => {
  const askFor = async ({ method, path }: Operation, who: string) => {
    const at = `/platform/v1${path.replace(/\{\w+\}/g, "some")}`;
    return (await gateway.ask(method, at, { key: keys[who] ?? "", ...(method !== "GET" && { body: {} }) })).status;
  };
  const each = operations.map((operation): [string, Operation] => [`${operation.method} ${operation.path}`, operation]);

  test.each(each)("%s is for whom it says", async (_, operation) => {
    const { access, permission } = operation;
    for (const who of NOBODY) expect([who, await askFor(operation, who)]).toEqual([who, access === "open" ? 200 : 401]);
    if (access === "open") return;
    expect(await askFor(operation, "metrics")).toBe(403);
    expect([401, 403]).not.toContain(await askFor(operation, "admin"));
    const isFor = (granted: string) => access === "key" && permission === granted;
    for (const [who, may] of [
      ["api", access === "key"],
      ["files", isFor("assets:read")],
      ["models", isFor("models:run")],
    ] as const)
      expect([who, (await askFor(operation, who)) === 403]).toEqual([who, !may]);
  });

  test("every permission that keys may have guards something", () => {
    const asked = new Set<string>(operations.map(({ permission }) => permission));
    expect([...PERMISSIONS].filter((permission) => !asked.has(permission))).toEqual([]);
  });
});

test("WebSockets open for keys of the right scope and permission alone", async () => {
  const stop = new AbortController();
  const { port, closed } = gateway.listen({ host: "127.0.0.1", port: 0, signal: stop.signal });
  const handshake = async (root: string, who: string) => {
    const key = keys[who] ?? "";
    const lines = [
      `GET ${root}forecourt/echo/realtime HTTP/1.1`,
      "Host: localhost",
      ...["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"],
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      ...(key === "" ? [] : [`Authorization: Key ${key}`]),
    ];
    const answer = await sendRaw(port, [`${lines.join("\r\n")}\r\n\r\n`]);
    return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
  };
  expect(SOCKET_ROOTS.length).toBeGreaterThan(1);
  for (const root of SOCKET_ROOTS) {
    for (const who of NOBODY) expect([root, who, await handshake(root, who)]).toEqual([root, who, 401]);
    for (const who of ["metrics", "files"]) expect([root, who, await handshake(root, who)]).toEqual([root, who, 403]);
    for (const who of ["models", "api", "admin"])
      expect([root, who, await handshake(root, who)]).toEqual([root, who, 101]);
  }
  stop.abort();
  await closed;
});
