// HEAD: what GET would answer, without its body, in every face and by every way in.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createTestGateway, type TestGateway } from "../support/test-gateway.ts";

let gateway: TestGateway;
let held: string;
let done: string;
beforeAll(async () => {
  gateway = await createTestGateway({ keepAliveMs: 50 });
  gateway.holdRuns();
  const submitted = async (prompt: string): Promise<string> => {
    const { request_id } = await (await gateway.ask("POST", "/queue/forecourt/echo", { body: { prompt } })).json();
    return request_id;
  };
  done = await submitted("done");
  (await gateway.nextRun()).finish({ prompt: "done", steps: 1 });
  await (await gateway.ask("GET", `/queue/forecourt/echo/requests/${done}/status/stream`)).text();
  held = await submitted("held");
  await gateway.nextRun();
});
afterAll(() => gateway[Symbol.asyncDispose]());

type Way = { key?: string; headers?: Record<string, string> };

/** All but what is another one in every answer, and what only HEAD has need to say. */
const told = ({ status, headers }: Response) => {
  const rest = [...headers].filter(([name]) => !/^(x-fal-request-id|x-request-id|content-length)$/.test(name));
  return { status, headers: rest.toSorted() };
};

async function expectAlike(path: string, way: Way = {}): Promise<void> {
  const [get, head] = [await gateway.ask("GET", path, way), await gateway.ask("HEAD", path, way)];
  expect(get.status).not.toBe(405);
  expect([path, told(head)]).toEqual([path, told(get)]);
  expect(await head.text()).toBe("");
  const bytes = (await get.arrayBuffer()).byteLength;
  expect([path, head.headers.get("content-length")]).toEqual([path, String(bytes)]);
}

const paths = () => {
  const request = `/queue/forecourt/echo/requests/${done}`;
  return [
    ...[request, `${request}/response`, `${request}/status`, `${request}/status?logs=1`],
    ...["/queue/forecourt/echo/requests/none/status", "/run/forecourt/nothing", "/v1/models", "/v1/models/none"],
    ...["/platform/v1/models", "/platform/v1/models/pricing?endpoint_id=forecourt/echo", "/platform/v1/nothing"],
    ...["/health", "/ready", "/models", "/swagger/json", "/nothing", "/admin/v1/keys", "/admin/v1/usage"],
    ...["/.well-known/jwks.json", `/files/${gateway.saveFile("a.txt", "hello")}/a.txt`, "/files/none/a.txt"],
  ];
};

describe("HEAD", () => {
  test("has status and headers of GET and no body, with a key, with an administrator's and with none", async () => {
    for (const path of paths())
      for (const key of [gateway.apiKey, gateway.adminKey, ""]) await expectAlike(path, { key });
  });

  test("so it is under fal's host names and through the proxy", async () => {
    await expectAlike(`http://queue.fal.run/forecourt/echo/requests/${done}/status`);
    await expectAlike("http://api.fal.ai/v1/models");
    const headers = { "x-fal-target-url": `https://queue.fal.run/forecourt/echo/requests/${done}` };
    await expectAlike("/fal/proxy", { headers });
  });

  test("of a stream of events is answered at once, and its request goes on", async () => {
    const path = `/queue/forecourt/echo/requests/${held}/status/stream`;
    const proxied = { "x-fal-target-url": `https://queue.fal.run/forecourt/echo/requests/${held}/status/stream` };
    for (const response of [
      await gateway.ask("HEAD", path),
      await gateway.ask("HEAD", "/api/fal/proxy", { headers: proxied }),
    ]) {
      expect([response.status, await response.text()]).toEqual([200, ""]);
      expect(response.headers.get("content-type")).toStartWith("text/event-stream");
    }
    expect((await gateway.ask("GET", path.replace("/stream", ""))).status).toBe(202);
  });

  test.each(["/run/forecourt/echo?prompt=hi", "http://fal.run/forecourt/echo?prompt=hi"])(
    "of %s runs no model and says so: there GET does more than to read",
    async (path) => {
      const before = gateway.jobs.open().length;
      const response = await gateway.ask("HEAD", path);
      expect([response.status, response.headers.get("allow")]).toEqual([405, "POST, GET"]);
      expect(gateway.jobs.open()).toHaveLength(before);
    },
  );

  test.each(["/v1/chat/completions", "/queue/forecourt/echo", "/admin/v1/webhooks/none/replay"])(
    "of %s, which has no GET, is refused as GET is",
    async (path) => {
      const [get, head] = [await gateway.ask("GET", path), await gateway.ask("HEAD", path)];
      expect(told(head)).toEqual(told(get));
    },
  );

  test("is counted by its own name, and is no act in the audit log", async () => {
    await gateway.ask("HEAD", "/admin/v1/keys", { key: gateway.adminKey });
    const metrics = await (await gateway.ask("GET", "/metrics", { key: gateway.adminKey })).text();
    expect(metrics).toMatch(/face="admin",method="HEAD"/);
    const log = await (await gateway.ask("GET", "/admin/v1/audit", { key: gateway.adminKey })).text();
    expect(log).not.toContain("HEAD /");
  });

  test("on a real port says how long the answer would be, and the connection goes on", async () => {
    const stop = new AbortController();
    const { port, closed } = gateway.listen({ host: "127.0.0.1", port: 0, signal: stop.signal });
    const ask = (method: string, path: string) =>
      fetch(`http://127.0.0.1:${port}${path}`, { method, headers: { authorization: `Key ${gateway.apiKey}` } });
    for (const path of ["/v1/models", `/queue/forecourt/echo/requests/${done}`, "/swagger/json", "/health"]) {
      const [head, get] = [await ask("HEAD", path), await ask("GET", path)];
      const { byteLength } = await get.arrayBuffer();
      expect([path, head.status, head.headers.get("content-length")]).toEqual([path, get.status, String(byteLength)]);
    }
    const stream = await ask("HEAD", `/queue/forecourt/echo/requests/${held}/status/stream`);
    expect([stream.status, await stream.text()]).toEqual([200, ""]);
    stop.abort();
    await closed;
  });
});
