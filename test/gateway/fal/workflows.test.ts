import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { proved } from "../../support/conformance.ts";
import { allEvents } from "../../support/read-events.ts";
import { createTestGateway, type TestGateway } from "../../support/test-gateway.ts";

const readEvents = async (response: Response) =>
  (await allEvents(response)).map(({ data }) => data as Record<string, unknown>);

let gateway: TestGateway;
beforeEach(async () => {
  gateway = await createTestGateway();
});
afterEach(() => gateway[Symbol.asyncDispose]());

const post = (path: string, body: unknown, key = gateway.apiKey) => gateway.ask("POST", path, { body, key });
const echo = (prompt: unknown, depends: string[] = []) => ({
  ...{ type: "run", app: "fal-ai/echo/fast" },
  ...{ depends, input: { prompt } },
});
const TWO_STEPS = {
  first: echo("$input.prompt", ["input"]),
  joined: {
    ...{ type: "run", app: "forecourt/workflow-utilities/merge-text" },
    input: { texts: ["$first.prompt", "again"], separator: " " },
  },
  second: echo("$joined.text", ["joined"]),
  output: { type: "display", depends: ["second"], fields: { text: "$second.prompt", steps: "$first.steps" } },
};
const body = (workflow: unknown, input: unknown = { prompt: "hello" }) => ({ input, workflow });

describe("a workflow that comes with its call", () => {
  test("runs node after node, each with what those before it gave", async () => {
    const response = await post("/run/workflows/execute", body(TWO_STEPS));
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ text: "hello again", steps: 1 });
    expect(response.headers.get("x-fal-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("streams each submission and completion, and the output last", async () => {
    const response = await post("/run/workflows/execute/stream", body(TWO_STEPS));
    const events = (await readEvents(response)).map((event): Record<string, unknown> => {
      const { request_id, ...rest } = event;
      return { ...rest, ...(request_id !== undefined && { isRequest: typeof request_id === "string" }) };
    });
    expect(events).toEqual([
      { type: "submit", node_id: "first", app_id: "fal-ai/echo/fast", isRequest: true },
      { type: "completion", node_id: "first", app_id: "fal-ai/echo/fast", output: { prompt: "hello", steps: 1 } },
      {
        ...{ type: "completion", node_id: "joined", app_id: "forecourt/workflow-utilities/merge-text" },
        output: { text: "hello again" },
      },
      { type: "submit", node_id: "second", app_id: "fal-ai/echo/fast", isRequest: true },
      {
        ...{ type: "completion", node_id: "second", app_id: "fal-ai/echo/fast" },
        output: { prompt: "hello again", steps: 1 },
      },
      { type: "completion", node_id: "output", output: { text: "hello again", steps: 1 } },
      { type: "output", output: { text: "hello again", steps: 1 } },
    ]);
    proved("http", "workflow");
  });

  test("goes through the queue with status, logs and result like any request", async () => {
    const { request_id: id, status_url } = await (await post("/queue/workflows/execute", body(TWO_STEPS))).json();
    expect(status_url).toBe(`http://localhost/queue/workflows/execute/requests/${id}/status`);
    const stream = await gateway.ask("GET", `/queue/workflows/execute/requests/${id}/status/stream?logs=1`);
    const statuses = await readEvents(stream);
    expect(statuses.at(-1)).toMatchObject({ status: "COMPLETED", request_id: id });
    const status = await gateway.ask("GET", `/queue/workflows/execute/requests/${id}/status?logs=1`);
    const { logs } = await status.json();
    expect(logs.map(({ message }: { message: string }) => message.split(" as ")[0])).toEqual([
      "first: fal-ai/echo/fast",
      "second: fal-ai/echo/fast",
    ]);
    const result = await gateway.ask("GET", `/queue/workflows/execute/requests/${id}`);
    expect(await result.json()).toEqual({ text: "hello again", steps: 1 });
    // Each node is a request of its own.
    const node = logs[0].message.split(" as request ")[1];
    const ofNode = await gateway.ask("GET", `/queue/fal-ai/echo/requests/${node}`);
    expect(await ofNode.json()).toEqual({ prompt: "hello", steps: 1 });
  });

  test("runs branches side by side", async () => {
    gateway.holdRuns();
    const workflow = {
      ...{ a: echo("a"), b: { ...echo("b"), app: "other/echo" } },
      end: { type: "display", depends: ["a", "b"], fields: { a: "$a.prompt", b: "$b.prompt" } },
    };
    const other = await createTestGateway({}, ["other/echo"]);
    other.holdRuns();
    const answer = other.ask("POST", "/run/workflows/execute", { body: body(workflow) });
    const runs = [await other.nextRun(), await other.nextRun()];
    for (const run of runs) run.finish({ prompt: String(run.job.input.prompt), steps: 1 });
    expect(await (await answer).json()).toEqual({ a: "a", b: "b" });
    await other[Symbol.asyncDispose]();
  });

  test("hands files from node to node, and out under this box's address", async () => {
    gateway.holdRuns();
    const workflow = {
      draw: echo("x"),
      url: {
        ...{ type: "run", app: "fal-ai/workflow-utilities/pick" },
        input: { from: "$draw", path: "images.0.url" },
      },
      use: echo("$url.value"),
      end: { type: "display", depends: ["use"], fields: { image: "$url.value", whole: "$draw" } },
    };
    const answer = post("/run/workflows/execute", body(workflow));
    const first = await gateway.nextRun();
    first.finish({ prompt: "x", steps: 1, images: [{ url: first.save("a.png", "picture") }] });
    const second = await gateway.nextRun();
    expect(second.job.input.prompt).toMatch(/^forecourt-file:\/files\/[\w-]{22}\/a\.png$/);
    second.finish({ prompt: "y", steps: 1 });
    const { image, whole } = await (await answer).json();
    expect(whole.images).toEqual([{ url: image }]);
    expect(image).toMatch(/^http:\/\/localhost\/files\/[\w-]{22}\/a\.png$/);
    expect(await (await gateway.ask("GET", image, { key: "" })).text()).toBe("picture");
  });

  test("fails with the first node that fails, under its name, and the others are cancelled", async () => {
    const other = await createTestGateway({}, ["other/echo"]);
    other.holdRuns();
    const workflow = { bad: echo("bad"), slow: { ...echo("slow"), app: "other/echo" }, never: echo("$bad.prompt") };
    const response = await other.ask("POST", "/run/workflows/execute/stream", { body: body(workflow) });
    const runs = [await other.nextRun(), await other.nextRun()];
    const bad = runs.find(({ job }) => job.input.prompt === "bad");
    bad?.fail({ code: "runner_failed", message: "The model broke." });
    const events = await readEvents(response);
    expect(events.at(-1)).toEqual({
      ...{ type: "error", node_id: "bad", message: "bad: The model broke." },
      error: { status: 500, body: { detail: "bad: The model broke.", error_type: "runner_server_error" } },
    });
    const slow = events.find((event) => event.node_id === "slow");
    const status = await other.ask("GET", `/queue/other/echo/requests/${slow?.request_id}/status`);
    expect(await status.json()).toMatchObject({ status: "COMPLETED", error_type: "client_cancelled" });
    await other[Symbol.asyncDispose]();
  });

  test("that is cancelled cancels what its nodes do", async () => {
    gateway.holdRuns();
    const { request_id: id } = await (
      await post("/queue/workflows/execute", body({ a: echo("x"), b: echo("$a.prompt") }))
    ).json();
    await gateway.nextRun();
    const cancelled = await gateway.ask("PUT", `/queue/workflows/execute/requests/${id}/cancel`);
    expect(cancelled.status).toBe(202);
    const stream = await gateway.ask("GET", `/queue/workflows/execute/requests/${id}/status/stream`);
    expect((await readEvents(stream)).at(-1)).toMatchObject({ status: "COMPLETED", error_type: "client_cancelled" });
    expect(gateway.jobs.open()).toEqual([]);
    const result = await gateway.ask("GET", `/queue/workflows/execute/requests/${id}`);
    expect(result.status).toBe(499);
  });

  test("whose caller leaves is cancelled", async () => {
    gateway.holdRuns();
    const left = new AbortController();
    const answer = gateway.ask("POST", "/run/workflows/execute", { body: body({ a: echo("x") }), signal: left.signal });
    await gateway.nextRun();
    left.abort();
    expect((await answer).status).toBe(499);
    const ended = gateway.jobs.open().map(({ id }) => gateway.jobs.watch(id, AbortSignal.timeout(60_000)));
    for (const events of ended)
      for await (const event of events) if (event.type === "finished") expect(event.job.status).toBe("cancelled");
    expect(gateway.jobs.open()).toEqual([]);
  });

  test.each([
    ["a cycle", { a: echo("$b.prompt"), b: echo("$a.prompt") }, ["body", "workflow", "a", "depends"]],
    ["an unknown model", { a: { ...echo("x"), app: "no/model" } }, ["body", "workflow", "a", "app"]],
    ["an unknown node", { a: echo("$b.prompt") }, ["body", "workflow", "a", "input", "prompt"]],
    ["an input that is not given", { a: echo("$input.other") }, ["body", "workflow", "a", "input", "prompt"]],
    [
      "a wrong fixed value",
      { a: { ...echo("x"), input: { prompt: 5 } } },
      ["body", "workflow", "a", "input", "prompt"],
    ],
    ["no nodes", {}, ["body", "workflow"]],
    ["a node of no kind", { a: { type: "dance" } }, ["body", "workflow", "a", "type"]],
    ["a list of nodes", [], ["body", "workflow"]],
  ])("with %s is refused with its place before anything runs", async (_, workflow, loc) => {
    const response = await post("/run/workflows/execute", body(workflow));
    expect(response.status).toBe(422);
    expect((await response.json()).detail[0].loc).toEqual(loc);
    expect(gateway.jobs.open()).toEqual([]);
    const queued = await post("/queue/workflows/execute", body(workflow));
    expect(queued.status).toBe(200);
    const { response_url } = await queued.json();
    const result = await gateway.ask("GET", response_url);
    expect(`${result.status} ${(await result.json()).detail[0].loc}`).toBe(`422 ${loc}`);
  });

  test("whose model refuses what a node brings is a 422 that names the node's field", async () => {
    const workflow = { first: echo("x"), second: { ...echo("y"), input: { prompt: "y", steps: "$first.prompt" } } };
    const response = await post("/run/workflows/execute", body(workflow));
    expect(response.status).toBe(422);
    expect((await response.json()).detail[0].loc).toEqual(["body", "workflow", "second", "input", "steps"]);
  });

  test("gives its last nodes' outputs when it shows nothing, and no output for paths that lead nowhere", async () => {
    expect(await (await post("/run/workflows/execute", body({ a: echo("x"), b: echo("$a.prompt") }))).json()).toEqual({
      b: { prompt: "x", steps: 1 },
    });
    expect((await post("/run/workflows/nowhere", {})).status).toBe(404);
    expect((await post("/run/workflows/a/b/c", {})).status).toBe(404);
  });
});
