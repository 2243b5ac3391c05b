// What fal-js's own specs (client, config, middleware, retry, runtime, storage, utils; at 1.10.1) expect of mocks, expected of
// the box: whatever the official client sends on these grounds is understood here. Queue, headers and realtime have files
// of their own.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import {
  ApiError,
  createFalClient,
  isCompletedQueueStatus,
  isQueueStatus,
  isRetryableError,
  parseEndpointId,
  withProxy,
} from "@fal-ai/client";
import { proved } from "../support/conformance.ts";
import { onBox } from "./hosts-on-box.ts";
import { type ServerUnderTest, serverUnderTest } from "./server-under-test.ts";

const ECHO = "test/echo/idle";
const input = { prompt: "hi" };

let server: ServerUnderTest;
beforeAll(async () => {
  server = await serverUnderTest();
}, 60_000);
afterAll(() => server[Symbol.asyncDispose]());

type Sent = { url: string; headers: Headers; at: number };
let sent: Sent[] = [];
/** What becomes of the next requests, one after the other; then they reach the box. */
let failures: (() => Response)[] = [];
beforeEach(() => {
  sent = [];
  failures = [];
});

type Options = Parameters<typeof createFalClient>[0];

const client = (options: Options = {}) =>
  createFalClient({
    credentials: server.key,
    fetch: Object.assign(async (url: string | URL | Request, init?: RequestInit) => {
      sent.push({ url: String(url), headers: new Headers(init?.headers), at: performance.now() });
      const failure = failures.shift();
      return failure ? failure() : await fetch(onBox(String(url), server.origin), init);
    }, fetch),
    ...options,
  });
const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => new Error("it should have failed"),
    (error: unknown) => error,
  );

describe("endpoint ids", () => {
  test.each([
    ["fal-ai/fast-sdxl", { owner: "fal-ai", alias: "fast-sdxl" }],
    ["fal-ai/fast-sdxl/image-to-image", { owner: "fal-ai", alias: "fast-sdxl", path: "image-to-image" }],
    ["workflows/fal-ai/fast-sdxl", { owner: "fal-ai", alias: "fast-sdxl", namespace: "workflows" }],
  ])("%s is taken apart", (id, parts) => {
    expect(parseEndpointId(id)).toMatchObject(parts);
  });

  test("lead to the same request with and without their path, and for a workflow with its namespace", async () => {
    const fal = client();
    const { request_id: requestId } = await fal.queue.submit(ECHO, { input });
    await (await fal.queue.streamStatus("test/echo", { requestId })).done();
    expect((await fal.queue.result(ECHO, { requestId })).data).toMatchObject(input);
    expect(sent.map(({ url }) => new URL(url).pathname)).toEqual([
      `/${ECHO}`,
      `/test/echo/requests/${requestId}/status/stream`,
      `/test/echo/requests/${requestId}`,
    ]);
    expect(await errorOf(fal.run("workflows/nobody/nothing", { input }))).toMatchObject({ status: 404 });
    expect(new URL(sent.at(-1)?.url ?? "").pathname).toBe("/workflows/nobody/nothing");
  });

  test("of one word are refused before anything is sent", async () => {
    expect(await errorOf(client().run("just-an-id", { input }))).toBeInstanceOf(Error);
    expect(sent).toEqual([]);
  });
});

describe("a run", () => {
  test("goes to fal.run with the client's name, and without a time limit that nobody set", async () => {
    await client().run(ECHO, { input });
    expect(sent[0]?.url).toBe(`https://fal.run/${ECHO}`);
    expect(sent[0]?.headers.get("user-agent")).toMatch(/^@fal-ai\/client\/\d/);
    expect(sent[0]?.headers.get("x-fal-request-timeout")).toBeNull();
  });

  test("has credentials of a text or a function, and none where there are none", async () => {
    expect((await client({ credentials: () => server.key }).run(ECHO, { input })).data).toMatchObject(input);
    const failure = await errorOf(client({ credentials: () => undefined }).run(ECHO, { input }));
    expect(failure).toMatchObject({ status: 401, body: { detail: expect.stringContaining("No key given") } });
    expect(sent.map(({ headers }) => headers.has("authorization"))).toEqual([true, false]);
  });
});

describe("the client's own judgements", () => {
  test("know the box's statuses for what they are", async () => {
    const { queue } = client();
    const input = { prompt: "x", steps: 3, step_ms: 100 };
    const { request_id: requestId } = await queue.submit(ECHO, { input });
    const early = await queue.status(ECHO, { requestId });
    // What they give is truthy, not always a boolean.
    const judged = (status: unknown) => [isQueueStatus(status), isCompletedQueueStatus(status)].map(Boolean);
    expect(judged(early)).toEqual([true, false]);
    await (await queue.streamStatus(ECHO, { requestId })).done();
    const late = await queue.status(ECHO, { requestId });
    expect(judged(late)).toEqual([true, true]);
    expect(judged((await queue.result(ECHO, { requestId })).data)).toEqual([false, false]);
  });

  test("call its refusals final", async () => {
    const codes = [429, 502, 503, 504];
    const failure = await errorOf(client().run(ECHO, { input: {} }));
    expect(isRetryableError(failure, codes)).toBe(false);
    expect(isRetryableError(new ApiError({ message: "", status: 503 }), codes)).toBe(true);
  });
});

describe("storageSettings", () => {
  test("of never, and without any field, send no lifetime", async () => {
    const lifecycle = () => sent.at(-1)?.headers.get("x-fal-object-lifecycle-preference") ?? null;
    await client().run(ECHO, { input, storageSettings: { expiresIn: "never" } });
    expect(JSON.parse(lifecycle() ?? "{}")).toEqual({});
    await client().run(ECHO, { input, storageSettings: {} });
    expect(lifecycle()).toBeNull();
    for (const [expiresIn, seconds] of [
      ["30d", 2_592_000],
      ["1y", 31_536_000],
    ] as const) {
      await client().run(ECHO, { input, storageSettings: { expiresIn } });
      expect(JSON.parse(lifecycle() ?? "{}")).toEqual({ expiration_duration_seconds: seconds });
    }
  });
});

const fetchFailed = (cause: unknown) => Object.assign(new TypeError("fetch failed"), { cause });
const coded = (code: string) => Object.assign(new Error(`connect ${code}`), { code });
const named = (name: string) => Object.assign(new Error("it was aborted"), { name });

/** A run whose first request fails like that: how often it was sent, and what came of it. */
async function runAfter(error: unknown) {
  let count = 0;
  const fal = client({
    fetch: Object.assign(async (url: string | URL | Request, init?: RequestInit) => {
      if (count++ === 0) throw error;
      return await fetch(onBox(String(url), server.origin), init);
    }, fetch),
  });
  const outcome = await fal.run(ECHO, { input }).then(
    ({ data }): unknown => data.prompt,
    (thrown: unknown) => thrown,
  );
  return { count, outcome };
}

describe("after a failure of the network", () => {
  test("a request is sent again, and the box answers it, whatever the code and wherever it stands", async () => {
    const codes = [
      ...["ETIMEDOUT", "ECONNRESET", "ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EPIPE", "EHOSTUNREACH", "ENETUNREACH"],
      ...["UND_ERR_SOCKET", "UND_ERR_CONNECT_TIMEOUT", "UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT"],
    ];
    const deep = fetchFailed(Object.assign(new Error("middle"), { cause: coded("ETIMEDOUT") }));
    const errors = [
      ...codes.map((code) => fetchFailed(coded(code))),
      coded("ECONNRESET"),
      fetchFailed(undefined),
      deep,
    ];
    const runs = await Promise.all(errors.map(runAfter));
    expect(runs).toEqual(errors.map(() => ({ count: 2, outcome: input.prompt })));
  }, 60_000);

  test("an abort, a time limit of the caller's and anything else are not tried again", async () => {
    const errors = [named("AbortError"), named("TimeoutError"), fetchFailed(named("AbortError")), new Error("Other")];
    const runs = await Promise.all(errors.map(runAfter));
    expect(runs).toEqual(errors.map((outcome) => ({ count: 1, outcome })));
  });
});

describe("after an answer that may be tried again", () => {
  const badGateway = () => Response.json({ detail: "Bad gateway" }, { status: 502 });

  test("the waits double, up to the last try, whose error is told", async () => {
    failures = [badGateway, badGateway, badGateway, badGateway];
    const failure = await errorOf(client().run(ECHO, { input }));
    expect(failure).toBeInstanceOf(ApiError);
    expect(failure).toMatchObject({ status: 502 });
    // Half a second, one and two, each more or less a quarter.
    const waits = sent.slice(1).map(({ at }, before) => at - (sent[before]?.at ?? 0));
    expect(waits).toHaveLength(3);
    for (const [tries, wait] of waits.entries()) expect(wait).toBeGreaterThanOrEqual(375 * 2 ** tries - 5);
  }, 60_000);

  test("a 504 of the infrastructure is tried again, one of the user's own time limit is not", async () => {
    const late = (type: string) => () =>
      Response.json({ detail: "late" }, { status: 504, headers: { "x-fal-request-timeout-type": type } });
    failures = [late("infrastructure")];
    expect((await client().run(ECHO, { input })).data).toMatchObject(input);
    failures = [late("user")];
    expect(await errorOf(client().run(ECHO, { input }))).toMatchObject({ isUserTimeout: true });
    proved("js", "retry");
  });
});

describe("withProxy", () => {
  const direct = `https://fal.run/${ECHO}`;
  const proxied = (when?: Parameters<typeof withProxy>[0]["when"]) => {
    const targetUrl = `${server.origin}/fal/proxy`;
    return client({ requestMiddleware: withProxy({ targetUrl, ...(when !== undefined && { when }) }) });
  };
  const inBrowser = () => Object.assign(globalThis, { window: { document: {} } });
  afterEach(() => Reflect.deleteProperty(globalThis, "window"));
  /** Where it was sent, and which URL it means. */
  const last = () => [sent.at(-1)?.url, sent.at(-1)?.headers.get("x-fal-target-url") ?? null];

  test("by default sends to the proxy from a browser only, decided call by call; the box answers both ways", async () => {
    const fal = proxied();
    expect((await fal.run(ECHO, { input })).data).toMatchObject(input);
    expect(last()).toEqual([direct, null]);
    inBrowser();
    expect((await fal.run(ECHO, { input })).data).toMatchObject(input);
    expect(last()).toEqual([`${server.origin}/fal/proxy`, direct]);
  });

  test("always, or when a function of the surroundings says so", async () => {
    const seen: boolean[] = [];
    await proxied("always").run(ECHO, { input });
    expect(last()).toEqual([`${server.origin}/fal/proxy`, direct]);
    const outsideOnly = proxied(({ isBrowser }) => {
      seen.push(isBrowser);
      return !isBrowser;
    });
    await outsideOnly.run(ECHO, { input });
    expect(last()[0]).toBe(`${server.origin}/fal/proxy`);
    inBrowser();
    await outsideOnly.run(ECHO, { input });
    expect(last()[0]).toBe(direct);
    expect(seen).toEqual([false, true]);
    proved("js", "proxy");
  });

  test("leaves alone what has been sent to a proxy already", async () => {
    const middleware = withProxy({ targetUrl: "https://other.example/proxy", when: "always" });
    const request = { url: direct, method: "POST", headers: { "x-fal-target-url": direct } };
    expect(await middleware(request)).toEqual(request);
  });
});
