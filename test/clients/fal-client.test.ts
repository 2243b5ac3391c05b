import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ApiError, type FalClient, type QueueStatus, ValidationError } from "@fal-ai/client";
import { proved } from "../support/conformance.ts";
import { until } from "../support/live-server.ts";
import { falClientsOf } from "./hosts-on-box.ts";
import { type ServerUnderTest, serverUnderTest } from "./server-under-test.ts";

let server: ServerUnderTest;
beforeAll(async () => {
  server = await serverUnderTest();
}, 60_000);
afterAll(() => server[Symbol.asyncDispose]());

const recipes = falClientsOf(() => server.origin);

const ECHO = "test/echo/idle";
const ALIAS = "fal-ai/echo/idle";
const slow = { prompt: "slow", steps: 6, step_ms: 60 };
const messages = (status: QueueStatus) => ("logs" in status ? (status.logs ?? []).map(({ message }) => message) : []);

describe.each(recipes)("@fal-ai/client by %s", (name, recipe) => {
  let fal: FalClient;
  beforeAll(() => {
    fal = recipe(server.key);
  });

  test("run gives the output and the request's id", async () => {
    const { data, requestId } = await fal.run(ECHO, { input: { prompt: "ü 水", steps: 2 } });
    expect(data).toEqual({ prompt: "ü 水", steps: 2 });
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
    if (name === "proxyUrl") proved("js", "proxy");
    proved("js", "run");
  });

  test("run by GET takes the input from the query string", async () => {
    const { data } = await fal.run(ECHO, { method: "get", input: { prompt: "q", steps: 3 } });
    expect(data).toEqual({ prompt: "q", steps: 3 });
    proved("js", "run-get");
  });

  test("subscribe by polling tells of the queue, the logs and the result", async () => {
    const seen: QueueStatus[] = [];
    let enqueued = "";
    const { data, requestId } = await fal.subscribe(ALIAS, {
      input: slow,
      logs: true,
      pollInterval: 20,
      onEnqueue: (id) => {
        enqueued = id;
      },
      onQueueUpdate: (status) => {
        seen.push(status);
      },
    });
    expect(data).toEqual({ prompt: "slow", steps: 6 });
    expect(requestId).toBe(enqueued);
    const statuses = seen.map(({ status }) => String(status));
    expect(statuses).toContain("IN_PROGRESS");
    expect(statuses.at(-1)).toBe("COMPLETED");
    const last = seen.at(-1);
    expect(last && messages(last)).toEqual([1, 2, 3, 4, 5, 6].map((step) => `idle step ${step} of 6`));
    proved("js", "subscribe", "logs");
  });

  test("subscribe by streaming joins each log line once", async () => {
    let last: QueueStatus | undefined;
    const { data } = await fal.subscribe(ALIAS, {
      input: slow,
      logs: true,
      mode: "streaming",
      onQueueUpdate: (status) => {
        last = status;
      },
    });
    expect(data).toEqual({ prompt: "slow", steps: 6 });
    expect(last?.status).toBe("COMPLETED");
    expect(last && messages(last)).toEqual([1, 2, 3, 4, 5, 6].map((step) => `idle step ${step} of 6`));
    proved("js", "status-stream");
  });

  test("queue.submit, status, streamStatus and result work on their own", async () => {
    const ticket = await fal.queue.submit(ALIAS, { input: slow, priority: "low" });
    const { request_id: requestId } = ticket;
    expect(ticket).toMatchObject({ status: "IN_QUEUE", queue_position: expect.any(Number) });
    expect(ticket.response_url).toContain(`/fal-ai/echo/requests/${requestId}`);
    const early = await fal.queue.status(ALIAS, { requestId, logs: true });
    expect(["IN_QUEUE", "IN_PROGRESS"]).toContain(early.status);

    const stream = await fal.queue.streamStatus(ALIAS, { requestId, logs: true });
    const seen: string[] = [];
    for await (const status of stream) seen.push(status.status);
    expect(seen.at(-1)).toBe("COMPLETED");
    expect(await stream.done()).toMatchObject({ status: "COMPLETED", metrics: { inference_time: expect.any(Number) } });

    const late = await fal.queue.status(ALIAS, { requestId });
    expect(late.status).toBe("COMPLETED");
    const result = await fal.queue.result(ALIAS, { requestId });
    expect(result).toEqual({ data: { prompt: "slow", steps: 6 }, requestId });
    proved("js", "submit", "status", "result");
  });

  test("queue.cancel ends a running request; its result is a 499", async () => {
    const { request_id: requestId } = await fal.queue.submit(ALIAS, {
      input: { prompt: "long", steps: 1000, step_ms: 50 },
    });
    await fal.queue.cancel(ALIAS, { requestId });
    const stream = await fal.queue.streamStatus(ALIAS, { requestId });
    expect(await stream.done()).toMatchObject({ status: "COMPLETED", error_type: "client_cancelled" });
    const failure = await errorOf(fal.queue.result(ALIAS, { requestId }));
    expect(failure).toBeInstanceOf(ApiError);
    expect(failure).toMatchObject({ status: 499, body: { error_type: "client_cancelled" }, requestId });
    expect(await errorOf(fal.queue.cancel(ALIAS, { requestId }))).toMatchObject({ status: 400 });
    proved("js", "cancel");
  });

  test("subscribe with a timeout cancels and rejects", async () => {
    let requestId = "";
    const failure = await errorOf(
      fal.subscribe(ALIAS, {
        input: { prompt: "long", steps: 1000, step_ms: 50 },
        timeout: 300,
        pollInterval: 50,
        onEnqueue: (id) => {
          requestId = id;
        },
      }),
    );
    expect(failure.message).toContain("timed out");
    const stream = await fal.queue.streamStatus(ALIAS, { requestId });
    expect(await stream.done()).toMatchObject({ error_type: "client_cancelled" });
  });

  test("stream ends with the whole result", async () => {
    const stream = await fal.stream(ECHO, { input: { prompt: "s", steps: 3, step_ms: 5 } });
    const events: unknown[] = [];
    for await (const event of stream) events.push(event);
    expect(events).toEqual([{ prompt: "s", steps: 3 }]);
    expect(await stream.done()).toEqual({ prompt: "s", steps: 3 });
    expect(stream.requestId).toMatch(/^[0-9a-f-]{36}$/);
    proved("js", "stream");
  });

  test("wrong input is a ValidationError with its fields, at once from run and at the result from the queue", async () => {
    const input = { steps: 0 };
    const failures = [
      await errorOf(fal.run(ECHO, { input })),
      await errorOf(fal.subscribe(ALIAS, { input, pollInterval: 20 })),
    ];
    for (const failure of failures) {
      if (!(failure instanceof ValidationError)) throw failure;
      expect(failure.status).toBe(422);
      expect(failure.requestId).toMatch(/^[0-9a-f-]{36}$/);
      expect(failure.getFieldErrors("prompt")).toMatchObject([{ type: "missing", loc: ["body", "prompt"] }]);
      expect(failure.getFieldErrors("steps")).toMatchObject([{ type: "greater_than_equal", ctx: { ge: 1 } }]);
    }
    proved("js", "error-fields");
  });

  test("an unknown model and an unknown request are ApiErrors with their status", async () => {
    const model = await errorOf(fal.run("test/nothing", { input: { prompt: "x" } }));
    expect(model).toMatchObject({
      status: 404,
      body: { detail: expect.stringContaining('Application "nothing" not found. This box has no model ') },
    });
    const request = await errorOf(fal.queue.status(ECHO, { requestId: crypto.randomUUID() }));
    expect(request).toMatchObject({ status: 404, body: { status: "NOT_FOUND" } });
    proved("js", "error-unknown");
  });

  test("a wrong key is a 401", async () => {
    const failure = await errorOf(recipe("nobody:nothing").run(ECHO, { input: { prompt: "x" } }));
    expect(failure).toBeInstanceOf(ApiError);
    expect(failure).toMatchObject({ status: 401, body: { detail: expect.any(String) } });
    proved("js", "error-auth");
  });

  test("aborting a run ends it on the box", async () => {
    const caller = new AbortController();
    const answer = fal.run(ECHO, {
      input: { prompt: "aborted", steps: 1000, step_ms: 50 },
      abortSignal: caller.signal,
    });
    const failed = errorOf(answer);
    const isRunning = async () => (await queue()).some(({ status }) => status === "running");
    await until(isRunning, "it runs");
    caller.abort();
    expect((await failed).name).toBe("AbortError");
    await until(async () => (await queue()).length === 0, "nothing runs");
  });

  test("a start that comes too late is the user's own timeout and is not tried again", async () => {
    const { request_id: requestId } = await fal.queue.submit(ALIAS, {
      input: { prompt: "first", steps: 1000, step_ms: 50 },
    });
    await until(async () => (await fal.queue.status(ALIAS, { requestId })).status === "IN_PROGRESS", "it runs");
    const failure = await errorOf(fal.run(ECHO, { input: { prompt: "second" }, startTimeout: 1.2 }));
    expect(failure).toMatchObject({ status: 504, isUserTimeout: true });
    await fal.queue.cancel(ALIAS, { requestId });
    proved("js", "start-timeout");
  });
});

async function errorOf(promise: Promise<unknown>): Promise<Error> {
  return await promise.then(
    () => {
      throw new Error("it should have failed");
    },
    (error: Error) => error,
  );
}

/** What the box has to do, as its admin sees it. */
async function queue(): Promise<{ status: string }[]> {
  const response = await fetch(`${server.origin}/admin/v1/status`, { headers: { authorization: `Key ${server.key}` } });
  return (await response.json()).queue;
}
