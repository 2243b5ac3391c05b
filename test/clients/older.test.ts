// fal's JavaScript client before 1.0, which many programs still have, and its proxy package between a page and the box.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createFalClient } from "@fal-ai/client";
import { createRequestHandler } from "@fal-ai/server-proxy/svelte";
import * as older from "@fal-ai/serverless-client";
import { proved } from "../support/conformance.ts";
import { onBox } from "./hosts-on-box.ts";
import { type ServerUnderTest, serverUnderTest } from "./server-under-test.ts";

const ECHO = "test/echo/idle";
let server: ServerUnderTest;
/** It has its REST host under another name. */
const here = (url: string) => onBox(url.replace("https://rest.alpha.fal.ai/", "https://rest.fal.ai/"), server.origin);
const realFetch = globalThis.fetch;
beforeAll(async () => {
  server = await serverUnderTest();
}, 60_000);
afterAll(() => server[Symbol.asyncDispose]());

describe("@fal-ai/serverless-client", () => {
  beforeAll(() => {
    older.config({
      credentials: server.key,
      requestMiddleware: async (request) => ({ ...request, url: here(request.url) }),
    });
  });

  test("runs, submits, asks and subscribes; results come bare", async () => {
    expect(await older.run(ECHO, { input: { prompt: "run" } })).toEqual({ prompt: "run", steps: 1 });
    const logs: string[] = [];
    const result = await older.subscribe(ECHO, {
      input: { prompt: "subscribed", steps: 3, step_ms: 30 },
      logs: true,
      pollInterval: 20,
      onQueueUpdate: (update) => {
        if ("logs" in update && update.logs) logs.splice(0, logs.length, ...update.logs.map(({ message }) => message));
      },
    });
    expect(result).toEqual({ prompt: "subscribed", steps: 3 });
    expect(logs).toEqual([1, 2, 3].map((step) => `idle step ${step} of 3`));
    const { request_id: requestId } = await older.queue.submit(ECHO, { input: { prompt: "queued" } });
    const status = async () => (await older.queue.status(ECHO, { requestId, logs: true })).status;
    while ((await status()) !== "COMPLETED");
    expect(await older.queue.result(ECHO, { requestId })).toEqual({ prompt: "queued", steps: 1 });
    proved("serverless-client", "run", "submit", "status", "result", "subscribe", "logs");
  });

  test("streams, and uploads through the older REST host", async () => {
    const stream = await older.stream(ECHO, { input: { prompt: "streamed" } });
    expect(await stream.done()).toEqual({ prompt: "streamed", steps: 1 });
    const url = await older.storage.upload(new Blob(["content"], { type: "text/plain" }));
    expect(await (await fetch(url)).text()).toBe("content");
    proved("serverless-client", "stream", "upload");
  });

  test("meets the errors in its own classes", async () => {
    const errorOf = (call: Promise<unknown>) => call.catch((error: unknown) => error);
    const wrong = await errorOf(older.run(ECHO, { input: { steps: 0 } }));
    if (!(wrong instanceof older.ValidationError)) throw wrong;
    expect(wrong.getFieldErrors("steps")).toMatchObject([{ type: "greater_than_equal" }]);
    expect(await errorOf(older.run("test/nothing", { input: {} }))).toMatchObject({ status: 404 });
    proved("serverless-client", "error-fields", "error-unknown");
  });
});

describe("@fal-ai/server-proxy", () => {
  /** A page's server, whose key the page never sees; what it sends to fal's hosts arrives at the box. */
  let proxy: ReturnType<typeof Bun.serve>;
  beforeAll(() => {
    globalThis.fetch = Object.assign(
      (url: string | URL | Request, init?: RequestInit) => realFetch(here(String(url)), init),
      {
        preconnect: realFetch.preconnect,
      },
    );
    const { requestHandler } = createRequestHandler({
      resolveFalAuth: async () => `Key ${server.key}`,
      allowedEndpoints: ["test/**"],
    });
    const handle = requestHandler as (event: { request: Request }) => Promise<Response>;
    proxy = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: (request) => handle({ request }) });
  });
  afterAll(async () => {
    globalThis.fetch = realFetch;
    await proxy.stop(true);
  });
  const page = () =>
    createFalClient({ fetch: realFetch, proxyUrl: { url: new URL("/api/fal/proxy", proxy.url).href, when: "always" } });

  test("lets a page run, subscribe and begin uploads with the server's key", async () => {
    expect((await page().run(ECHO, { input: { prompt: "run" } })).data).toEqual({ prompt: "run", steps: 1 });
    const { data, requestId } = await page().subscribe(ECHO, { input: { prompt: "queued" }, pollInterval: 20 });
    expect(data).toEqual({ prompt: "queued", steps: 1 });
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
    const url = await page().storage.upload(new Blob(["by a page"], { type: "text/plain" }));
    expect(await (await realFetch(url)).text()).toBe("by a page");
  });

  test("passes the box's errors on, and lets nothing through that it does not allow", async () => {
    const wrong = await page()
      .run(ECHO, { input: { steps: 0 } })
      .catch((error: unknown) => error);
    expect(wrong).toMatchObject({ status: 422, body: { detail: [{}, {}] } });
    const foreign = await page()
      .run("forecourt/echo", { input: { prompt: "x" } })
      .catch((error: unknown) => error);
    // Its own word, before anything reaches the box.
    expect(foreign).toMatchObject({ status: 400, body: "Invalid request" });
    proved("js", "proxy");
  });
});
