import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { allEvents, readEvents } from "../../support/read-events.ts";
import { createTestGateway, type TestGateway } from "../../support/test-gateway.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
  gateway.holdRuns();
});
afterAll(() => gateway[Symbol.asyncDispose]());

const stream = (signal?: AbortSignal) =>
  gateway.ask("POST", "/run/forecourt/echo/stream", { body: { prompt: "hi" }, ...(signal && { signal }) });

describe("a streamed run", () => {
  test("sends partial outputs as they come, progress as comments, and the whole result last", async () => {
    const answer = stream();
    const run = await gateway.nextRun();
    const comments: string[] = [];
    const response = await answer;
    const events = readEvents(response, comments);
    run.partial({ images: [{ url: run.save("preview.png", "x") }] });
    const url = expect.stringMatching(/^http:\/\/localhost\/files\/[\w-]{22}\/preview\.png$/);
    expect((await events.next()).value).toEqual({ name: "message", data: { images: [{ url }] } });
    run.progress(1, 4);
    run.finish({ prompt: "hi", steps: 4 });
    expect((await events.next()).value).toEqual({ name: "message", data: { prompt: "hi", steps: 4 } });
    expect((await events.next()).done).toBe(true);
    expect(comments).toContain("progress 1/4");
    expect(response.headers.get("content-type")).toStartWith("text/event-stream");
    expect(response.headers.get("x-fal-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("wrong input is an ordinary 422", async () => {
    const response = await gateway.ask("POST", "/run/forecourt/echo/stream", { body: {} });
    expect(response.status).toBe(422);
    expect(response.headers.get("content-type")).toContain("application/json");
  });

  test("a failure after the start is the last event, in fal's shape", async () => {
    const answer = stream();
    const run = await gateway.nextRun();
    const response = await answer;
    run.fail({ code: "runner_failed", message: "It broke." });
    expect(await allEvents(response)).toEqual([
      { name: "error", data: { detail: "It broke.", error_type: "runner_server_error" } },
    ]);
  });

  test("is cancelled when its reader leaves", async () => {
    const answer = stream();
    await gateway.nextRun();
    const response = await answer;
    const [job] = gateway.jobs.open();
    await response.body?.cancel();
    const end = job && (await Array.fromAsync(gateway.jobs.watch(job.id, AbortSignal.timeout(60_000)))).at(-1);
    expect(end).toMatchObject({ type: "finished", job: { status: "cancelled" } });
  });

  test("is cancelled when its caller leaves before it starts", async () => {
    const first = stream();
    const run = await gateway.nextRun();
    const caller = new AbortController();
    const second = stream(caller.signal);
    while (gateway.jobs.open().length < 2) await Bun.sleep(1);
    caller.abort();
    expect((await second).status).toBe(499);
    expect(gateway.jobs.open()).toHaveLength(1);
    run.finish({});
    await allEvents(await first);
  });
});
