// The rest of the official client's public functions, and streams of a model that draws.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createFalClient, fal, type QueueStatus, withMiddleware, withProxy } from "@fal-ai/client";
import { proved } from "../support/conformance.ts";
import { onBox, rewrittenFetch } from "./hosts-on-box.ts";
import { type ServerUnderTest, serverUnderTest } from "./server-under-test.ts";

const ECHO = "test/echo/idle";
let server: ServerUnderTest;
beforeAll(async () => {
  server = await serverUnderTest();
}, 60_000);
afterAll(() => server[Symbol.asyncDispose]());

const here = (url: string) => onBox(url, server.origin);
const rewritten = rewrittenFetch(here);
const client = () => createFalClient({ credentials: server.key, fetch: rewritten });

describe("streams of the demo model", () => {
  type Drawn = { images: { url: string; width: number }[]; seed: number };
  const input = { prompt: "a big red circle on a blue ground", num_inference_steps: 12, seed: 5 };

  test.each(["server", "client"] as const)(
    "in %s mode show the picture as it becomes, and end with the whole result",
    async (connectionMode) => {
      const stream = await client().stream("forecourt/demo-diffusion", { input, connectionMode });
      const events: Drawn[] = [];
      for await (const event of stream) events.push(event);
      const last = events.pop();
      expect(events).toHaveLength(5);
      for (const { images, seed } of events) {
        expect(seed).toBe(5);
        expect(images[0]?.url).toStartWith("data:image/jpeg;base64,");
      }
      expect(await stream.done()).toEqual(last);
      const [picture] = last?.images ?? [];
      expect(picture?.width).toBe(128);
      expect(picture?.url).toStartWith(`${server.origin}/files/`);
      expect((await fetch(picture?.url ?? "")).headers.get("content-type")).toBe("image/png");
      proved("js", connectionMode === "server" ? "stream" : "stream-token");
    },
    60_000,
  );

  test("have as many previews as the caller wishes", async () => {
    const stream = await client().stream("forecourt/demo-diffusion", { input: { ...input, preview_every: 3 } });
    let count = 0;
    for await (const _ of stream) count++;
    expect(count).toBe(3 + 1);
  }, 60_000);
});

describe("output files with storageSettings", () => {
  test("are hidden from everybody but their owner", async () => {
    const { data } = await client().run("forecourt/demo-diffusion", {
      input: { prompt: "a red circle", num_inference_steps: 2 },
      storageSettings: { expiresIn: "1h", initialAcl: { default: "hide" } },
    });
    const { url } = data.images[0];
    expect((await fetch(url)).status).toBe(404);
    const own = await fetch(url, { headers: { authorization: `Key ${server.key}` } });
    expect([own.status, own.headers.get("content-type")]).toEqual([200, "image/png"]);
    proved("js", "output-lifecycle");
  }, 60_000);
});

describe("queue.subscribeToStatus", () => {
  test.each(["polling", "streaming"] as const)("by %s tells of the queue to the end", async (mode) => {
    const { queue } = client();
    const { request_id: requestId } = await queue.submit(ECHO, { input: { prompt: "s", steps: 3, step_ms: 30 } });
    const seen: string[] = [];
    const onQueueUpdate = (status: QueueStatus) => void seen.push(status.status);
    const common = { requestId, logs: true, onQueueUpdate };
    const last = await queue.subscribeToStatus(
      ECHO,
      mode === "polling" ? { ...common, mode, pollInterval: 10 } : { ...common, mode },
    );
    expect(last).toMatchObject({ status: "COMPLETED", metrics: { inference_time: expect.any(Number) } });
    expect(seen.at(-1)).toBe("COMPLETED");
  });
});

describe("storage.transformInput", () => {
  test("puts a URL of the box in the place of every file, however deep, and leaves the rest", async () => {
    const { storage } = client();
    const file = new Blob(["content"], { type: "text/plain" });
    const made = await storage.transformInput({ a: [{ file }], text: "as it is", uri: "data:text/plain,x" });
    expect(made).toMatchObject({ text: "as it is", uri: "data:text/plain,x" });
    const url = String((made.a as { file: unknown }[])[0]?.file);
    expect(url).toStartWith(`${server.origin}/cdn/files/b/`);
    expect(await (await fetch(url)).text()).toBe("content");
  });
});

describe("the ways to configure the client", () => {
  test("the shared client is configured once for all", async () => {
    fal.config({ credentials: () => server.key, fetch: rewritten });
    expect((await fal.run(ECHO, { input: { prompt: "shared" } })).data).toMatchObject({ prompt: "shared" });
  });

  test("middleware is composed, withProxy sends to the proxy path with the URL that is meant", async () => {
    const order: string[] = [];
    const noting = (name: string) => async (request: { url: string; method: string }) => {
      order.push(name);
      return request;
    };
    const middleware = withMiddleware(
      noting("first"),
      withProxy({ targetUrl: `${server.origin}/fal/proxy`, when: "always" }),
      noting("last"),
    );
    const own = createFalClient({ credentials: server.key, requestMiddleware: middleware });
    expect((await own.run(ECHO, { input: { prompt: "by proxy" } })).data).toMatchObject({ prompt: "by proxy" });
    expect(order).toEqual(["first", "last"]);
    proved("js", "proxy");
  });
});

describe("what fal documents and its client has no word for", () => {
  test("fal_max_queue_length refuses with a 429 that may be tried again", async () => {
    const post = (path: string) =>
      fetch(`${server.origin}/queue/${path}`, {
        method: "POST",
        headers: { authorization: `Key ${server.key}` },
        body: JSON.stringify({ prompt: "long", steps: 1000, step_ms: 20 }),
      });
    const { queue } = client();
    const running = await (await post(ECHO)).json();
    const stream = await queue.streamStatus(ECHO, { requestId: running.request_id });
    for await (const { status } of stream) if (status === "IN_PROGRESS") break;
    const waiting = await (await post(ECHO)).json();
    const refused = await post(`${ECHO}?fal_max_queue_length=0`);
    expect([refused.status, refused.headers.get("x-fal-needs-retry")]).toEqual([429, "1"]);
    for (const { request_id: requestId } of [waiting, running]) await queue.cancel(ECHO, { requestId });
    proved("http", "max-queue");
  });
});
