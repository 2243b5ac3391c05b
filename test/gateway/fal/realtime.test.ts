// The wire of realtime connections (fal-protocol.md 5), with runs that the test ends by hand.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { decode, encode } from "@msgpack/msgpack";
import { createRandom } from "../../../src/engine/tensor/random.ts";
import { connect, type SocketClient } from "../../support/socket-client.ts";
import { createTestGateway, type TestGateway } from "../../support/test-gateway.ts";
import { until } from "../../support/until.ts";

let gateway: TestGateway;
let base: string;
const stop = new AbortController();
beforeAll(async () => {
  gateway = await createTestGateway();
  gateway.holdRuns();
  const { port } = gateway.listen({ host: "127.0.0.1", port: 0, signal: stop.signal });
  base = `ws://127.0.0.1:${port}`;
});
afterAll(async () => {
  stop.abort();
  await gateway[Symbol.asyncDispose]();
});

const REALTIME = "/run/forecourt/echo/realtime";
const open = (path = REALTIME, key = gateway.apiKey) => connect(`${base}${path}`, { authorization: `Key ${key}` });
const json = async (client: SocketClient) => JSON.parse(String(await client.next()));
const unpacked = async (client: SocketClient) => {
  const message = await client.next();
  if (typeof message === "string") throw new Error(`a text: ${message}`);
  return decode(message);
};
const send = (client: SocketClient, value: unknown) => client.send(encode(value));
const PIXEL = "data:image/png;base64,AAEC";

describe("a realtime connection", () => {
  test("answers MessagePack with MessagePack, echoes request_id and tells the time it took", async () => {
    const client = await open();
    send(client, { prompt: "one", request_id: "r1" });
    const run = await gateway.nextRun();
    expect(run.job.input).toEqual({ prompt: "one", steps: 1, step_ms: 0 });
    expect(run.job.session).toMatch(/^[0-9a-f-]{36}$/);
    run.finish({ prompt: "one", steps: 1 });
    expect(await unpacked(client)).toEqual({ prompt: "one", steps: 1, request_id: "r1" });
    expect(await json(client)).toEqual({ type: "x-fal-message", action: "timings", timing: expect.any(Number) });
    client.close(1000);
    expect((await client.closed).code).toBe(1000);
  });

  test("answers a JSON text with a JSON text", async () => {
    const client = await open();
    client.send('{"prompt":"text"}');
    const run = await gateway.nextRun();
    run.finish({ images: [{ url: PIXEL }] });
    expect(await json(client)).toEqual({ images: [{ url: PIXEL }] });
    client.close(1000);
  });

  test("media are raw bytes, or data URIs for who asks with sync_mode", async () => {
    const client = await open();
    send(client, { prompt: "raw" });
    (await gateway.nextRun()).finish({ images: [{ url: PIXEL, width: 1, height: 1, content_type: "image/png" }] });
    expect(await unpacked(client)).toEqual({
      images: [{ content: Uint8Array.of(0, 1, 2), content_type: "image/png", width: 1, height: 1 }],
    });
    await json(client);
    send(client, { prompt: "uri", sync_mode: true });
    (await gateway.nextRun()).finish({ images: [{ url: PIXEL }] });
    expect(await unpacked(client)).toEqual({ images: [{ url: PIXEL }] });
    client.close(1000);
  });

  test("results come in the order of their inputs, and all inputs of a connection have one session", async () => {
    const client = await open();
    for (const prompt of ["a", "b", "c"]) send(client, { prompt });
    const sessions = new Set<unknown>();
    for (const prompt of ["a", "b", "c"]) {
      const run = await gateway.nextRun();
      sessions.add(run.job.session);
      run.finish({ prompt: run.job.input.prompt });
      expect(await unpacked(client)).toEqual({ prompt });
      await json(client);
    }
    expect(sessions.size).toBe(1);
    client.close(1000);
  });

  test("max_buffering keeps the newest inputs and drops the oldest", async () => {
    const client = await open(`${REALTIME}?max_buffering=2`);
    send(client, { prompt: "first" });
    const first = await gateway.nextRun();
    for (const prompt of ["dropped", "dropped too", "kept", "kept last"]) send(client, { prompt });
    // Messages arrive in order: an answer to this one says that the others are in.
    const probe = await open();
    send(probe, 7);
    await probe.next();
    first.finish({ prompt: "first" });
    const seen = [await unpacked(client), await json(client)];
    for (let count = 0; count < 2; count++) {
      const run = await gateway.nextRun();
      run.finish({ prompt: run.job.input.prompt });
      seen.push(await unpacked(client));
      await json(client);
    }
    expect(seen.map((each) => (each as { prompt?: string }).prompt)).toEqual(["first", undefined, "kept", "kept last"]);
    client.close(1000);
    probe.close(1000);
  });

  test("a wrong input costs one message and says what is wrong", async () => {
    const client = await open();
    send(client, { steps: 0 });
    const error = await json(client);
    expect(error).toMatchObject({ type: "x-fal-error", error: "INVALID_INPUT", reason: expect.any(String) });
    expect(error.detail).toMatchObject([{ loc: ["body", "prompt"] }, { loc: ["body", "steps"] }]);
    for (const nonsense of ["{", "[1]", Uint8Array.of(0xc1), encode("text")]) {
      client.send(nonsense);
      expect(await json(client)).toMatchObject({ type: "x-fal-error", error: "INVALID_INPUT" });
    }
    send(client, { prompt: "still here" });
    (await gateway.nextRun()).finish({ prompt: "still here" });
    expect(await unpacked(client)).toEqual({ prompt: "still here" });
    client.close(1000);
  });

  test("whatever bytes come, the connection answers in words or with a result, and the box lives on", async () => {
    const client = await open();
    const normal = createRandom(11).normal(300 * 24);
    for (let count = 0; count < 300; count++) {
      const bytes = Uint8Array.from(normal.subarray(count * 24, count * 24 + 1 + (count % 24)), (value) => value * 97);
      // Half of them begin as maps do, so that the reading goes deeper.
      if (count % 2 === 0) bytes[0] = 0x80 + (count % 16);
      client.send(bytes);
      expect(await json(client)).toMatchObject({ type: "x-fal-error", error: "INVALID_INPUT" });
    }
    const proto = '{"__proto__":{"prompt":1}}';
    for (const text of ["", "null", "[]", '{"prompt":', "\u0000", "[".repeat(100_000), proto]) {
      client.send(text);
      expect(await json(client)).toMatchObject({ type: "x-fal-error", error: "INVALID_INPUT" });
    }
    send(client, { prompt: "still here" });
    (await gateway.nextRun()).finish({ prompt: "still here" });
    expect(await unpacked(client)).toEqual({ prompt: "still here" });
    client.close(1000);
  });

  test("a model that breaks ends the connection in order", async () => {
    const client = await open();
    send(client, { prompt: "broken" });
    (await gateway.nextRun()).fail({ code: "runner_failed", message: "The graph refused." });
    const error = { type: "x-fal-error", error: "INTERNAL_ERROR", reason: "The graph refused." };
    expect(await json(client)).toMatchObject(error);
    expect(await client.closed).toEqual({ code: 1000, reason: "INTERNAL_ERROR" });
  });

  test("a client that leaves takes its run along", async () => {
    const client = await open();
    send(client, { prompt: "abandoned" });
    await gateway.nextRun();
    expect(gateway.jobs.open()).toHaveLength(1);
    client.close(1000);
    await until(() => gateway.jobs.open().length === 0);
  });

  test("a key that is revoked ends its connections", async () => {
    const { key, secret } = gateway.keys.create({ name: "short-lived", scope: "api" });
    const client = await open(REALTIME, secret);
    gateway.keys.revoke(key.id);
    send(client, { prompt: "too late" });
    expect(await json(client)).toEqual({ status: "error", error: "Unauthorized" });
    expect((await client.closed).code).toBe(1000);
    const idle = gateway.keys.create({ name: "idle", scope: "api" });
    const quiet = await open(REALTIME, idle.secret);
    gateway.keys.revoke(idle.key.id);
    expect((await quiet.closed).code).toBe(1000);
  });
});

describe("who may connect", () => {
  const tokenFor = async (path: string, body: unknown) => {
    const answer = await (await gateway.ask("POST", path, { body })).json();
    return typeof answer === "string" ? answer : answer.token;
  };

  test("whoever has a token of either endpoint, by alias or whole path", async () => {
    const tokens = [
      await tokenFor("/rest/tokens/", { allowed_apps: ["echo"], token_expiration: 120 }),
      await tokenFor("/rest/tokens/realtime", { allowed_apps: ["forecourt/echo/realtime"], duration: 60 }),
      await tokenFor("/rest/tokens/realtime", { app: "forecourt/echo", duration: 60 }),
    ];
    for (const token of tokens) {
      const client = await connect(`${base}${REALTIME}?fal_jwt_token=${token}`);
      send(client, { prompt: "by token" });
      (await gateway.nextRun()).finish({ prompt: "by token" });
      expect(await unpacked(client)).toEqual({ prompt: "by token" });
      client.close(1000);
    }
  });

  test("a token that is wrong or for another app is told so by a message, as JavaScript's client wants it", async () => {
    for (const token of ["nonsense", await tokenFor("/rest/tokens/", { allowed_apps: ["flux"] })]) {
      const client = await connect(`${base}${REALTIME}?fal_jwt_token=${token}`);
      expect(await json(client)).toEqual({ status: "error", error: "Unauthorized" });
      expect(await client.closed).toEqual({ code: 1000, reason: "Unauthorized" });
    }
  });

  const refusal = async (path: string, headers: Record<string, string>) => {
    const upgrade = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13" };
    const key = { "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" };
    return await fetch(`${base.replace("ws:", "http:")}${path}`, { headers: { ...upgrade, ...key, ...headers } });
  };

  test("nobody without a key, nor with one for metrics", async () => {
    const { secret } = gateway.keys.create({ name: "prometheus", scope: "metrics" });
    for (const path of [REALTIME, "/ws/forecourt/echo"]) {
      expect((await refusal(path, {})).status).toBe(401);
      expect((await refusal(path, { authorization: "Key a:b" })).status).toBe(401);
      expect((await refusal(path, { authorization: `Key ${secret}` })).status).toBe(403);
    }
  });

  test("a path that is no realtime path, an unknown model and a wrong max_buffering are refused", async () => {
    const authorization = `Key ${gateway.apiKey}`;
    expect((await refusal("/run/forecourt/echo", { authorization })).status).toBe(404);
    expect((await refusal("/run/forecourt/nothing/realtime", { authorization })).status).toBe(404);
    expect((await refusal(`${REALTIME}?max_buffering=61`, { authorization })).status).toBe(400);
    expect((await refusal("/run/forecourt/echo/realtime", { authorization })).status).toBe(101);
  });

  test("an ordinary request to the realtime path is told what it wants", async () => {
    const response = await gateway.ask("GET", REALTIME);
    expect(response.status).toBe(404);
  });
});

test("a connection has its model loaded before its first message, and ends with TIMEOUT when none comes", async () => {
  const own = await createTestGateway({
    settings: { publicUrl: "", allowOrigins: [], limits: { bodyMb: 16 }, realtime: { sessionSeconds: 0.2 } },
  });
  const end = new AbortController();
  const { port } = own.listen({ host: "127.0.0.1", port: 0, signal: end.signal });
  const client = await connect(`ws://127.0.0.1:${port}${REALTIME}`, { authorization: `Key ${own.apiKey}` });
  const status = await (await own.ask("GET", "/admin/v1/status", { key: own.adminKey })).json();
  expect(status.runners).toMatchObject([{ model: "forecourt/echo" }]);
  expect(await json(client)).toMatchObject({ type: "x-fal-error", error: "TIMEOUT" });
  expect(await client.closed).toEqual({ code: 1000, reason: "TIMEOUT" });
  const other = await connect(`ws://127.0.0.1:${port}/ws/forecourt/echo`, { authorization: `Key ${own.apiKey}` });
  end.abort();
  expect((await other.closed).code).toBe(1001);
  await own[Symbol.asyncDispose]();
});
