import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { allEvents, readEvents } from "../../support/read-events.ts";
import { createTestGateway, type TestGateway } from "../../support/test-gateway.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway({ keepAliveMs: 20 });
  gateway.holdRuns();
});
afterAll(() => gateway[Symbol.asyncDispose]());

const submit = async (): Promise<string> =>
  (await (await gateway.ask("POST", "/queue/forecourt/echo", { body: { prompt: "hi" } })).json()).request_id;
const stream = (id: string, query = "?logs=1", signal?: AbortSignal) =>
  gateway.ask("GET", `/queue/forecourt/echo/requests/${id}/status/stream${query}`, { ...(signal && { signal }) });

type Status = { status: string; logs?: { message: string }[] | null; queue_position?: number; error_type?: string };
const statuses = async (response: Response) => (await allEvents(response)).map(({ data }) => data as Status);
const nextStatus = async (events: AsyncGenerator<{ data: unknown }>) => (await events.next()).value?.data as Status;

describe("the status stream", () => {
  test("follows a request from the queue to its end, each log line once", async () => {
    const [first, id] = [await submit(), await submit()];
    const response = await stream(id);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toStartWith("text/event-stream");
    expect(response.headers.get("x-fal-request-id")).toBe(id);
    const events = readEvents(response);
    expect(await nextStatus(events)).toMatchObject({ status: "IN_QUEUE", queue_position: 0, request_id: id });

    (await gateway.nextRun()).finish({});
    const run = await gateway.nextRun();
    expect(await nextStatus(events)).toMatchObject({ status: "IN_PROGRESS", logs: [] });
    run.log("one");
    expect((await nextStatus(events)).logs?.map(({ message }) => message)).toEqual(["one"]);
    run.log("two, with ü and 水");
    expect((await nextStatus(events)).logs?.map(({ message }) => message)).toEqual(["two, with ü and 水"]);
    run.finish({ prompt: "hi" });
    const last = await nextStatus(events);
    expect(last).toMatchObject({ status: "COMPLETED", logs: [], metrics: { inference_time: expect.any(Number) } });
    expect((await events.next()).done).toBe(true);
    expect(first).not.toBe(id);
  });

  test("of a finished request is one COMPLETED event with all its lines", async () => {
    const id = await submit();
    const run = await gateway.nextRun();
    run.log("only");
    run.fail({ code: "runner_failed", message: "It broke." });
    await statuses(await stream(id));
    const all = await statuses(await stream(id));
    expect(all).toHaveLength(1);
    expect(all[0]).toMatchObject({ status: "COMPLETED", error_type: "runner_server_error" });
    expect(all[0]?.logs?.map(({ message }) => message)).toEqual(["only"]);
  });

  test("has null logs when none were asked for", async () => {
    const id = await submit();
    const run = await gateway.nextRun();
    run.log("unseen");
    run.finish({});
    for (const { logs } of await statuses(await stream(id, ""))) expect(logs).toBeNull();
  });

  test("is kept alive by comments while nothing happens", async () => {
    const id = await submit();
    const run = await gateway.nextRun();
    const comments: string[] = [];
    const response = await stream(id);
    const reading = allEvents(response, comments);
    await Bun.sleep(0);
    while (!comments.includes("keep-alive")) await Bun.sleep(5);
    run.finish({});
    expect((await reading).at(-1)?.data).toMatchObject({ status: "COMPLETED" });
  });

  test("a caller who leaves stops watching and harms nothing", async () => {
    const id = await submit();
    const run = await gateway.nextRun();
    const caller = new AbortController();
    const response = await stream(id, "?logs=1", caller.signal);
    const reader = response.body?.getReader();
    await reader?.read();
    caller.abort();
    await reader?.cancel();
    run.finish({});
    expect((await statuses(await stream(id))).at(-1)).toMatchObject({ status: "COMPLETED" });
    expect(gateway.logged.filter(({ level }) => level === "error")).toEqual([]);
  });
});
