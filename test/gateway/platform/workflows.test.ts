import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createTestGateway, type TestGateway } from "../../support/test-gateway.ts";

let gateway: TestGateway;
let other: string;
beforeAll(async () => {
  gateway = await createTestGateway();
  other = gateway.keys.create({ name: "Some One", scope: "api" }).secret;
});
afterAll(() => gateway[Symbol.asyncDispose]());

const contents = {
  name: "workflow",
  version: "1",
  nodes: {
    echo: {
      type: "run",
      id: "echo",
      depends: ["input"],
      app: "fal-ai/echo/fast",
      input: { prompt: "$input.prompt", steps: "$input.steps" },
    },
    output: { type: "display", id: "output", depends: ["echo"], input: {}, fields: { text: "$echo.prompt" } },
  },
  output: { text: "$echo.prompt", steps: "$echo.steps" },
  schema: {
    input: {
      prompt: { name: "prompt", label: "Prompt", type: "string", required: true, modelId: "echo" },
      steps: { name: "steps", type: "integer", default: 2 },
    },
    output: { text: { name: "text", type: "string" } },
  },
  metadata: { description: "Says it again" },
};
const store = (name: string, more: Record<string, unknown> = {}, key = gateway.apiKey) =>
  gateway.ask("POST", "/platform/v1/workflows", { key, body: { name, title: "Again", contents, ...more } });
const run = (endpoint: string, body: unknown, key = gateway.apiKey) =>
  gateway.ask("POST", `/run/${endpoint}`, { key, body });

describe("a stored workflow", () => {
  test("is made as it was sent, and runs under its own endpoint id", async () => {
    const made = await store("again");
    expect(made.status).toBe(201);
    const { workflow } = await made.json();
    expect(workflow).toMatchObject({
      ...{
        name: "again",
        title: "Again",
        user_nickname: "test",
        is_public: false,
        endpoint_id: "workflows/test/again",
      },
      contents,
    });
    const shown = await gateway.ask("GET", "/platform/v1/workflows/test/again");
    expect(await shown.json()).toEqual({ workflow });
    expect(await (await run("workflows/test/again", { prompt: "hi" })).json()).toEqual({ text: "hi", steps: 2 });
    expect(await (await run("workflows/test/again", { prompt: "hi", steps: 3 })).json()).toMatchObject({ steps: 3 });
  });

  test("checks its input by what it declares", async () => {
    await store("checked");
    for (const [body, loc] of [
      [{}, "prompt"],
      [{ prompt: 5 }, "prompt"],
      [{ prompt: "x", steps: "many" }, "steps"],
    ] as const) {
      const response = await run("workflows/test/checked", body);
      expect(response.status).toBe(422);
      expect((await response.json()).detail[0].loc).toEqual(["body", loc]);
    }
  });

  test("goes through the queue and its stream", async () => {
    await store("queued");
    const submitted = await gateway.ask("POST", "/queue/workflows/test/queued", { body: { prompt: "later" } });
    const { request_id: id, response_url } = await submitted.json();
    expect(response_url).toBe(`http://localhost/queue/workflows/test/queued/requests/${id}`);
    await (await gateway.ask("GET", `${response_url}/status/stream`)).text();
    const result = await gateway.ask("GET", response_url);
    expect(await result.json()).toEqual({ text: "later", steps: 2 });
    const stream = await gateway.ask("POST", "/run/workflows/test/queued/stream", { body: { prompt: "now" } });
    expect(await stream.text()).toContain('data: {"type":"output","output":{"text":"now","steps":2}}');
  });

  test("is its user's alone, unless it is public", async () => {
    await store("mine");
    await store("ours", { is_public: true });
    expect((await run("workflows/test/mine", { prompt: "x" }, other)).status).toBe(404);
    expect((await gateway.ask("GET", "/platform/v1/workflows/test/mine", { key: other })).status).toBe(404);
    expect((await run("workflows/test/ours", { prompt: "x" }, other)).status).toBe(200);
    const removed = await gateway.ask("DELETE", "/platform/v1/workflows/test/ours", { key: other });
    expect(removed.status).toBe(404);
    const theirs = await store("mine", {}, other);
    expect((await theirs.json()).workflow.endpoint_id).toBe("workflows/some-one/mine");
    const listed = async (key: string) =>
      (await (await gateway.ask("GET", "/platform/v1/workflows?limit=100", { key })).json()).workflows.map(
        ({ endpoint_id }: { endpoint_id: string }) => endpoint_id,
      );
    expect((await listed(other)).sort()).toEqual(["workflows/some-one/mine", "workflows/test/ours"]);
    expect(await listed(gateway.apiKey)).not.toContain("workflows/some-one/mine");
  });

  test("has a name that nothing else has, and goes away when it is removed", async () => {
    await store("once");
    const again = await store("once");
    expect(again.status).toBe(400);
    expect((await again.json()).error.message).toContain("already");
    expect((await gateway.ask("DELETE", "/platform/v1/workflows/test/once")).status).toBe(204);
    expect((await run("workflows/test/once", { prompt: "x" })).status).toBe(404);
    expect((await store("once")).status).toBe(201);
  });

  test.each([
    [
      "a cycle",
      { nodes: { a: { type: "run", app: "fal-ai/echo/fast", depends: ["a"], input: { prompt: "x" } } } },
      "a.depends",
    ],
    ["an unknown model", { nodes: { a: { type: "run", app: "no/model" } } }, "a.app"],
    ["an output that no node has", { ...contents, output: { text: "$echo.picture" } }, "output.text"],
    ["an input that it does not declare", { ...contents, schema: { input: {} } }, "echo.input.prompt"],
  ])("with %s is refused, with the place", async (_, broken, place) => {
    const response = await store("broken", { contents: broken });
    expect(response.status).toBe(400);
    const { error } = await response.json();
    expect(error.type).toBe("validation_error");
    expect(error.message).toContain(place);
  });

  test("has no name that would not do in an endpoint id", async () => {
    for (const name of ["", "A", "a/b", "a b", "../x"]) expect((await store(name)).status, name).toBe(400);
  });

  test("comes in pages", async () => {
    const all = (await (await gateway.ask("GET", "/platform/v1/workflows?limit=100")).json()).workflows;
    const seen = [];
    for (let cursor = ""; ; ) {
      const { workflows, next_cursor } = await (
        await gateway.ask("GET", `/platform/v1/workflows?limit=2${cursor}`)
      ).json();
      seen.push(...workflows);
      if (next_cursor === null) break;
      cursor = `&cursor=${next_cursor}`;
    }
    expect(seen).toEqual(all);
    expect(seen.length).toBeGreaterThan(3);
  });
});

test("workflows are in the document of the box", async () => {
  const document = await (await gateway.ask("GET", "/swagger/json", { key: "" })).json();
  for (const path of ["/run/workflows/execute", "/run/workflows/execute/stream", "/queue/workflows/{user}/{name}"])
    expect(document.paths[path].post.operationId).toBeString();
  const { example } = document.paths["/run/workflows/execute"].post.requestBody.content["application/json"];
  expect(example.workflow.output.type).toBe("display");
});
