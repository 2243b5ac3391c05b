// ws.fal.run: requests as messages of one WebSocket (fal-protocol.md 2.7).
import { afterAll, beforeAll, expect, test } from "bun:test";
import { toFailure } from "../../../src/core/errors.ts";
import type { Call } from "../../../src/gateway/fal/call.ts";
import { createHttpOverSocket } from "../../../src/gateway/fal/http-over-socket.ts";
import { createWaitingRoom } from "../../../src/gateway/fal/waiting-room.ts";
import { type Socket, UNSENT_BYTES } from "../../../src/gateway/socket.ts";
import { connect, type SocketClient } from "../../support/socket-client.ts";
import { createTestGateway, type TestGateway } from "../../support/test-gateway.ts";
import { until } from "../../support/until.ts";

let gateway: TestGateway;
let base: string;
const stop = new AbortController();
beforeAll(async () => {
  gateway = await createTestGateway();
  gateway.holdRuns();
  base = `ws://127.0.0.1:${gateway.listen({ host: "127.0.0.1", port: 0, signal: stop.signal }).port}`;
});
afterAll(async () => {
  stop.abort();
  await gateway[Symbol.asyncDispose]();
});

const open = (path = "/ws/forecourt/echo", headers = {}) =>
  connect(`${base}${path}`, { authorization: `Key ${gateway.apiKey}`, ...headers });

/** One answer: its start, its body as text, its end. */
async function answer(client: SocketClient) {
  return await rest(client, JSON.parse(String(await client.next())));
}

async function rest(
  client: SocketClient,
  start: { type: string; status: number; headers: Record<string, string>; request_id: string },
) {
  const body: Uint8Array[] = [];
  for (;;) {
    const message = await client.next();
    if (typeof message === "string") return { start, body: Buffer.concat(body).toString(), end: JSON.parse(message) };
    body.push(message);
  }
}

test("a message is a request: start, body and end come back with its id, status and headers", async () => {
  const client = await open();
  client.send('{"prompt":"one"}');
  (await gateway.nextRun()).finish({ type: "end", request_id: "not the frame's" });
  const { start, body, end } = await answer(client);
  const id = expect.stringMatching(/^[0-9a-f-]{36}$/);
  expect(start).toMatchObject({ type: "start", request_id: id, status: 200 });
  expect(start.headers).toMatchObject({ "content-type": expect.stringContaining("json"), "x-fal-billable-units": "2" });
  expect(JSON.parse(body)).toEqual({ type: "end", request_id: "not the frame's" });
  expect(end).toEqual({
    type: "end",
    request_id: start.request_id,
    status: 200,
    time_to_first_byte_seconds: expect.any(Number),
  });
  client.close(1000);
});

test("requests may be sent ahead and are answered in order, failures in their place", async () => {
  const client = await open();
  client.send('{"prompt":"a"}');
  client.send('{"steps":0}');
  client.send("{");
  client.send('{"prompt":"b"}');
  (await gateway.nextRun()).finish({ prompt: "a" });
  const first = await answer(client);
  const wrong = await answer(client);
  const broken = await answer(client);
  (await gateway.nextRun()).finish({ prompt: "b" });
  const last = await answer(client);
  expect([first, wrong, broken, last].map(({ start }) => start.status)).toEqual([200, 422, 422, 200]);
  expect([first, last].map(({ body }) => JSON.parse(body).prompt)).toEqual(["a", "b"]);
  expect(JSON.parse(wrong.body).detail).toMatchObject([{ loc: ["body", "prompt"] }, { loc: ["body", "steps"] }]);
  client.close(1000);
});

test("a streaming path answers with its events", async () => {
  const client = await open("/ws/forecourt/echo/stream");
  client.send('{"prompt":"s"}');
  const run = await gateway.nextRun();
  const start = JSON.parse(String(await client.next()));
  run.partial({ prompt: "par" });
  run.finish({ prompt: "partial" });
  const { body } = await rest(client, start);
  expect(start.headers["content-type"]).toContain("text/event-stream");
  expect(body.match(/^data: .*$/gm)).toEqual(['data: {"prompt":"par"}', 'data: {"prompt":"partial"}']);
  client.close(1000);
});

test("fal's headers of the handshake count for each request", async () => {
  const client = await open("/ws/forecourt/echo", { "x-fal-tags": "team=a", "x-fal-store-io": "0" });
  client.send('{"prompt":"tagged"}');
  const run = await gateway.nextRun();
  expect(gateway.jobs.open()).toMatchObject([{ tags: { team: "a" } }]);
  run.finish({});
  await answer(client);
  client.close(1000);
});

test("an unknown model is a 404 for each request, and who leaves takes the run along", async () => {
  const lost = await open("/ws/forecourt/nothing");
  lost.send("{}");
  expect((await answer(lost)).start.status).toBe(404);
  lost.close(1000);
  const client = await open();
  client.send('{"prompt":"abandoned"}');
  await gateway.nextRun();
  client.close(1000);
  await until(() => gateway.jobs.open().length === 0);
});

test("a key that is revoked gets no further answers", async () => {
  const { key, secret } = gateway.keys.create({ name: "gone", scope: "api" });
  const client = await open("/ws/forecourt/echo", { authorization: `Key ${secret}` });
  gateway.keys.revoke(key.id);
  client.send('{"prompt":"too late"}');
  expect((await answer(client)).start.status).toBe(401);
  client.close(1000);
});

test("a client that reads late gets all of its answers, and none is made meanwhile that nobody takes", async () => {
  // As a socket of Bun that is full: what comes then is thrown away.
  const sent: (string | Uint8Array)[] = [];
  let unsent = 0;
  const socket: Socket = {
    send(message) {
      if (unsent > 16 * 1024 * 1024) return;
      unsent += message.length;
      sent.push(message);
    },
    unsent: () => unsent,
    close() {},
  };
  let runs = 0;
  const face = createHttpOverSocket({
    run: () => {
      runs++;
      return Promise.resolve(new Response(new Uint8Array(5 * 1024 * 1024)));
    },
    room: createWaitingRoom(),
    report: toFailure,
    isWelcome: () => true,
  });
  const caller = gateway.keys.verify(gateway.apiKey);
  const request = new Request(`${base}/ws/forecourt/echo`.replace("ws", "http"));
  const events = face({ request, caller } as Call); // what this face asks of it
  events.opened(socket);
  for (let at = 0; at < 10; at++) events.received("{}");
  const count = (type: string) =>
    sent.filter((message) => typeof message === "string" && JSON.parse(message).type === type).length;
  await until(() => unsent >= UNSENT_BYTES);
  expect(runs).toBeLessThan(10);
  while (count("end") < 10) {
    await until(() => unsent >= UNSENT_BYTES || count("end") === 10);
    unsent = 0;
    events.drained?.();
  }
  expect(count("start")).toBe(10);
  expect(sent.reduce((sum, each) => sum + (typeof each === "string" ? 0 : each.length), 0)).toBe(10 * 5 * 1024 * 1024);
});

test("requests that find no room beside those of other connections end their connection, which gives its own back", async () => {
  const room = createWaitingRoom({ most: 10 });
  const { promise: answered, resolve } = Promise.withResolvers<Response>();
  const face = createHttpOverSocket({ run: () => answered, room, report: toFailure, isWelcome: () => true });
  const caller = gateway.keys.verify(gateway.apiKey);
  const begin = () => {
    const sent: string[] = [];
    const events = face({ request: new Request(base.replace("ws", "http")), caller } as Call);
    const socket = { send: (message: unknown) => void sent.push(String(message)), unsent: () => 0 };
    events.opened({ ...socket, close: (_, reason) => void sent.push(reason) });
    return { events, sent };
  };
  const [one, other] = [begin(), begin()];
  one.events.received('{"a": 1}');
  other.events.received('{"b": 2}');
  expect(other.sent).toEqual([expect.stringContaining('"error":"QUEUE_FULL"'), "QUEUE_FULL"]);
  resolve(new Response("done"));
  await until(() => one.sent.length === 3);
  expect(room.enter(10)).toBe(true);
});
