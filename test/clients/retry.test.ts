// How the official client retries, headers and time limits included: fal-js's specs of queue, run, headers and retry, with a
// gate before the box that fails as networks and proxies do.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { ApiError, createFalClient } from "@fal-ai/client";
import { proved } from "../support/conformance.ts";
import { until } from "../support/until.ts";
import { type ServerUnderTest, serverUnderTest } from "./server-under-test.ts";

const ECHO = "test/echo/idle";
type Seen = { method: string; path: string; headers: Headers };

let server: ServerUnderTest;
let gate: ReturnType<typeof Bun.serve>;
/** What the gate does with the next requests, one after the other; then it lets all pass. */
let failures: ((request: Request) => Response | Promise<Response>)[] = [];
let seen: Seen[] = [];
/** Runners, as results name them. */
let servedFrom: string[] = [];

beforeAll(async () => {
  server = await serverUnderTest();
  gate = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      seen.push({ method: request.method, path: pathname, headers: request.headers });
      const failure = failures.shift();
      if (failure) return await failure(request);
      const { method, headers } = request;
      const body = method === "GET" ? {} : { body: await request.text() };
      const response = await fetch(`${server.origin}${pathname}${search}`, { method, headers, ...body });
      const runner = response.headers.get("x-fal-served-from");
      if (runner !== null) servedFrom.push(runner);
      return response;
    },
  });
}, 60_000);
afterAll(async () => {
  await gate.stop(true);
  await server[Symbol.asyncDispose]();
});
afterEach(() => {
  failures = [];
  seen = [];
  servedFrom = [];
});

const client = () =>
  createFalClient({
    credentials: server.key,
    requestMiddleware: async (request) => {
      const here = `http://127.0.0.1:${gate.port}`;
      const url = request.url.replace("https://queue.fal.run/", `${here}/queue/`);
      return { ...request, url: url.replace("https://fal.run/", `${here}/run/`) };
    },
  });

const status =
  (code: number, headers: Record<string, string> = {}) =>
  () =>
    Response.json({ detail: "for now" }, { status: code, headers });
const input = { prompt: "hi" };
const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => new Error("it should have failed"),
    (error: unknown) => error,
  );

describe("retries", () => {
  test.each([429, 502, 503, 504])("a %i is tried again, and the result comes", async (code) => {
    failures = [status(code)];
    expect((await client().run(ECHO, { input })).data).toMatchObject(input);
    expect(seen).toHaveLength(2);
  });

  test.each([400, 401, 404, 422, 500])("a %i is not", async (code) => {
    failures = [status(code)];
    expect(await errorOf(client().run(ECHO, { input }))).toMatchObject({ status: code });
    expect(seen).toHaveLength(1);
  });

  test("a 504 that is the user's own time limit is not", async () => {
    failures = [status(504, { "x-fal-request-timeout-type": "user" })];
    expect(await errorOf(client().run(ECHO, { input }))).toMatchObject({ status: 504, isUserTimeout: true });
    expect(seen).toHaveLength(1);
  });

  test("the box itself says which of its failures may be tried again", async () => {
    const response = await fetch(`${server.origin}/run/${ECHO}`, { method: "POST", body: "{}" });
    expect(response.headers.get("x-fal-needs-retry")).toBe("0");
    expect(response.headers.get("x-fal-retryable")).toBe("false");
    proved("js", "retry");
  });

  test("a status that fails for a while does not end a subscription", async () => {
    const passes = () =>
      fetch(`${server.origin}/queue/${ECHO}`, {
        method: "POST",
        headers: { authorization: `Key ${server.key}` },
        body: JSON.stringify(input),
      });
    failures = [passes, status(500)];
    const { data } = await client().subscribe(ECHO, { input, pollInterval: 20 });
    expect(data).toMatchObject(input);
    proved("js", "subscribe");
  });

  test("an abort is not tried again", async () => {
    const caller = new AbortController();
    failures = [() => new Promise<Response>(() => {})];
    const answer = errorOf(client().run(ECHO, { input, abortSignal: caller.signal }));
    await until(() => seen.length > 0);
    caller.abort();
    expect(await answer).toMatchObject({ name: "AbortError" });
    expect(seen).toHaveLength(1);
  });
});

describe("headers", () => {
  const sent = (name: string) => seen.find(({ path }) => path.endsWith(ECHO))?.headers.get(name) ?? null;

  test("priority and hint go beside the caller's own headers, and the box takes them", async () => {
    await client().queue.submit(ECHO, {
      input,
      priority: "low",
      hint: "cat-7",
      headers: { "x-custom": "1", "x-fal-queue-priority": "normal" },
    });
    expect([sent("x-custom"), sent("x-fal-queue-priority"), sent("x-fal-runner-hint")]).toEqual(["1", "low", "cat-7"]);
    proved("js", "priority");
  });

  test("a hint that is repeated leads to the same runner", async () => {
    const { queue } = client();
    for (let count = 0; count < 2; count++) {
      const { request_id: requestId } = await queue.submit(ECHO, { input, hint: "cat-7" });
      await (await queue.streamStatus(ECHO, { requestId })).done();
      await queue.result(ECHO, { requestId });
    }
    expect(servedFrom).toHaveLength(2);
    expect(new Set(servedFrom).size).toBe(1);
    proved("js", "hints");
  });

  test("priority is normal and there is no hint or time limit unless asked for", async () => {
    await client().queue.submit(ECHO, { input });
    const names = ["x-fal-queue-priority", "x-fal-runner-hint", "x-fal-request-timeout"];
    expect(names.map(sent)).toEqual(["normal", null, null]);
  });

  test("startTimeout is the time limit of submit and run, whatever the caller's headers say", async () => {
    await client().queue.submit(ECHO, { input, startTimeout: 30, headers: { "x-fal-request-timeout": "5" } });
    expect(sent("x-fal-request-timeout")).toBe("30");
    seen = [];
    await client().run(ECHO, { input, startTimeout: 30 });
    expect(sent("x-fal-request-timeout")).toBe("30");
  });

  test("a startTimeout of a second or less is refused before anything is sent", async () => {
    for (const startTimeout of [1, 0.5, 0])
      expect(String(await errorOf(client().queue.submit(ECHO, { input, startTimeout })))).toContain("Timeout");
    expect(seen).toEqual([]);
  });

  test("storageSettings rule the output files: lifetime by its aliases, and who may read", async () => {
    await client().run(ECHO, { input, storageSettings: { expiresIn: "1h", initialAcl: { default: "hide" } } });
    expect(JSON.parse(sent("x-fal-object-lifecycle-preference") ?? "{}")).toEqual({
      expiration_duration_seconds: 3600,
      initial_acl: { default: "hide" },
    });
    for (const [expiresIn, seconds] of [
      ["immediate", 60],
      ["1d", 86_400],
      ["7d", 604_800],
      [90, 90],
    ] as const) {
      seen = [];
      await client().run(ECHO, { input, storageSettings: { expiresIn } });
      const { expiration_duration_seconds } = JSON.parse(sent("x-fal-object-lifecycle-preference") ?? "{}");
      expect(expiration_duration_seconds).toBe(seconds);
    }
  });

  test("X-Fal-Store-IO, X-Fal-Tags and X-Fal-No-Retry pass, and what is wrong with them is an ApiError", async () => {
    const headers = { "x-fal-store-io": "0", "x-fal-tags": "team=a", "x-fal-no-retry": "1" };
    const { request_id: requestId } = await client().queue.submit(ECHO, { input, headers });
    const stream = await client().queue.streamStatus(ECHO, { requestId });
    await stream.done();
    expect((await client().queue.result(ECHO, { requestId })).data).toMatchObject(input);
    const failure = await errorOf(client().queue.submit(ECHO, { input, headers: { "x-fal-tags": "TEAM" } }));
    expect(failure).toBeInstanceOf(ApiError);
    expect(failure).toMatchObject({ status: 400, body: { error_type: "bad_request" } });
    proved("js", "store-io");
  });
});
