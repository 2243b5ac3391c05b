import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { createTestGateway, type TestGateway } from "../../support/test-gateway.ts";

const WAIT_MS = 1500;

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway({ waitMs: WAIT_MS }, ["other/model"]);
});
afterAll(() => gateway[Symbol.asyncDispose]());

type Caller = { key?: string; url?: string };

/** The official client; its requests go to the app without a network. */
async function connect({ key = gateway.apiKey, url = "http://localhost/mcp" }: Caller = {}): Promise<Client> {
  const client = new Client({ name: "test", version: "1" });
  const handle = (to: string | URL, init?: RequestInit) => gateway.app.handle(new Request(to, init));
  const headers = { authorization: `Bearer ${key}` };
  // The SDK's types are written without exactOptionalPropertyTypes.
  const transport = new StreamableHTTPClientTransport(new URL(url), { fetch: handle, requestInit: { headers } });
  await client.connect(transport as Parameters<Client["connect"]>[0]);
  return client;
}

type Result = { isError?: boolean; content: Record<string, string>[]; structuredContent: Record<string, unknown> };
type CallOptions = Parameters<Client["callTool"]>[2];

const call = async (client: Client, name: string, input: Record<string, unknown>, options: CallOptions = {}) =>
  (await client.callTool({ name, arguments: input }, undefined, options)) as unknown as Result;

const namesOf = async (client: Client) => (await client.listTools()).tools.map(({ name }) => name);

describe("tools/list", () => {
  test("has fal's tools and each model with its own input schema", async () => {
    const { tools } = await (await connect()).listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      ...["search_models", "get_model_schema", "get_pricing", "recommend_model", "search_docs"],
      ...["run_model", "submit_job", "check_job", "get_job_result", "cancel_job", "upload_file"],
      ...["forecourt_echo", "other_model"],
    ]);
    const echo = tools.find(({ name }) => name === "forecourt_echo");
    expect(echo).toMatchObject({
      title: "Echo",
      inputSchema: {
        type: "object",
        properties: { prompt: { type: "string" }, steps: { type: "integer", minimum: 1, maximum: 1000, default: 1 } },
        required: ["prompt"],
      },
      annotations: { readOnlyHint: false },
    });
    expect(echo?.description).toContain("0.5 USD per image");
  });

  test("shows a key only the models that it may use", async () => {
    const { secret } = gateway.keys.create({ name: "narrow", scope: "api", models: ["other/*"] });
    const client = await connect({ key: secret });
    expect(await namesOf(client)).not.toContain("forecourt_echo");
    expect(await namesOf(client)).toContain("other_model");
    const found = await call(client, "search_models", {});
    expect(found.structuredContent.models).toHaveLength(1);
    const refused = await call(client, "run_model", { endpoint_id: "forecourt/echo", input: { prompt: "x" } });
    expect(refused).toMatchObject({
      isError: true,
      structuredContent: { error: expect.stringContaining("not found") },
    });
  });

  test("is narrowed by the URL's patterns, aliases included", async () => {
    expect(await namesOf(await connect({ url: "http://localhost/mcp?models=fal-ai/*" }))).toContain("forecourt_echo");
    const none = await namesOf(await connect({ url: "http://localhost/mcp?models=" }));
    expect(none).toContain("run_model");
    expect(none).not.toContain("forecourt_echo");
  });

  test("is at mcp.fal.ai too", async () => {
    for (const path of ["mcp", "mcp-relay"])
      expect(await namesOf(await connect({ url: `https://mcp.fal.ai/${path}` }))).toContain("forecourt_echo");
  });
});

describe("the guard", () => {
  test("refuses a caller without a key, and a key that may not run models", async () => {
    await expect(connect({ key: "no:body" })).rejects.toThrow();
    const { secret } = gateway.keys.create({ name: "prometheus", scope: "metrics" });
    await expect(connect({ key: secret })).rejects.toThrow();
    expect((await gateway.ask("POST", "/mcp", { key: "", body: {} })).status).toBe(401);
  });

  test("answers what is not the protocol with a 4xx", async () => {
    for (const body of ["", "{", "[]", "1", { jsonrpc: "2.0" }, { jsonrpc: "2.0", id: 1, method: 5 }]) {
      const response = await gateway.ask("POST", "/mcp", { body, headers: { "content-type": "application/json" } });
      expect(response.status).toBeWithin(400, 500);
    }
    for (const method of ["GET", "DELETE", "PUT"])
      expect((await gateway.ask(method, "/mcp")).status).toBeWithin(400, 500);
  });
});

describe("a model's tool", () => {
  test("gives the output with the request's id and the recipe to have it again", async () => {
    const client = await connect();
    const result = await call(client, "forecourt_echo", { prompt: "ü 水", steps: 2 });
    expect(result.isError).toBeFalsy();
    expect(result.structuredContent).toMatchObject({
      status: "completed",
      output: { prompt: "ü 水", steps: 2 },
      endpoint_id: "forecourt/echo",
      recipe: { endpoint_id: "forecourt/echo", input: { prompt: "ü 水", steps: 2 } },
    });
    expect(JSON.parse(result.content[0]?.text ?? "")).toEqual(result.structuredContent);
    const id = String(result.structuredContent.request_id);
    expect((await gateway.ask("GET", `/queue/forecourt/echo/requests/${id}`)).status).toBe(200);
  });

  test("answers wrong input with the fields that are wrong, for the model to mend", async () => {
    const { isError, structuredContent } = await call(await connect(), "forecourt_echo", { steps: 0 });
    expect(isError).toBe(true);
    const detail = structuredContent.detail as { loc: string[]; type: string }[];
    expect(detail.map(({ loc, type }) => [loc.at(-1), type])).toEqual([
      ["prompt", "missing"],
      ["steps", "greater_than_equal"],
    ]);
  });

  test("a tool that does not exist is an error of the protocol", async () => {
    await expect(call(await connect(), "nothing", {})).rejects.toThrow("There is no tool nothing");
  });
});

describe("runs that take their time", () => {
  let held: TestGateway;
  beforeAll(async () => {
    held = await createTestGateway({ waitMs: WAIT_MS });
    held.holdRuns();
  });
  afterAll(() => held[Symbol.asyncDispose]());
  const connectHeld = async () => {
    const client = new Client({ name: "test", version: "1" });
    const transport = new StreamableHTTPClientTransport(new URL("http://localhost/mcp"), {
      fetch: (to, init) => held.app.handle(new Request(to, init)),
      requestInit: { headers: { authorization: `Key ${held.apiKey}` } },
    });
    await client.connect(transport as Parameters<Client["connect"]>[0]);
    return client;
  };

  test("tell of their progress, and end with links and small pictures", async () => {
    const client = await connectHeld();
    const arrived = new Map([1, 2].map((step) => [step, Promise.withResolvers<number | undefined>()]));
    const onprogress = ({ progress, total }: { progress: number; total?: number | undefined }) =>
      arrived.get(progress)?.resolve(total);
    const running = call(client, "forecourt_echo", { prompt: "draw" }, { onprogress });
    const run = await held.nextRun();
    for (const [step, { promise }] of arrived) {
      run.progress(step, 3);
      expect(await promise).toBe(3);
    }
    const image = { url: run.save("a.png", "picture"), content_type: "image/png", width: 8 };
    run.finish({ images: [image, { url: "data:image/jpeg;base64,AAAA" }] });
    const { content, structuredContent } = await running;
    const { output } = structuredContent as { output: { images: { url: string }[] } };
    expect(output.images[0]?.url).toMatch(/^http:\/\/localhost\/files\/[\w-]{22}\/a\.png$/);
    expect(content.slice(1)).toEqual([
      { type: "resource_link", uri: output.images[0]?.url ?? "", name: "a.png", mimeType: "image/png" },
      { type: "image", data: Buffer.from("picture").toString("base64"), mimeType: "image/png" },
      { type: "image", data: "AAAA", mimeType: "image/jpeg" },
    ]);
  });

  test("answer with how to ask for them when they take longer than a client waits", async () => {
    const client = await connectHeld();
    const early = await call(client, "run_model", { endpoint_id: "fal-ai/echo/fast", input: { prompt: "slow" } });
    const run = await held.nextRun();
    expect(early.structuredContent).toMatchObject({ status: "processing", endpoint_id: "fal-ai/echo/fast" });
    const request = { endpoint_id: "fal-ai/echo/fast", request_id: String(early.structuredContent.request_id) };
    run.log("half way");
    expect((await call(client, "check_job", request)).structuredContent).toMatchObject({ status: "IN_PROGRESS" });
    expect((await call(client, "get_job_result", request)).structuredContent).toMatchObject({ status: "processing" });
    run.finish({ prompt: "late" });
    const done = async () => (await call(client, "check_job", request)).structuredContent;
    while ((await done()).status !== "COMPLETED");
    expect((await call(client, "get_job_result", request)).structuredContent).toMatchObject({
      status: "completed",
      output: { prompt: "late" },
    });
  });

  test("are submitted, followed and cancelled; other keys know nothing of them", async () => {
    const client = await connectHeld();
    const { structuredContent } = await call(client, "submit_job", {
      endpoint_id: "forecourt/echo",
      input: { prompt: "long" },
    });
    const request = { request_id: String(structuredContent.request_id) };
    await held.nextRun();
    const { secret } = held.keys.create({ name: "stranger", scope: "api" });
    const stranger = await held.ask("POST", "/mcp", {
      key: secret,
      headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
      body: { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "check_job", arguments: request } },
    });
    expect(await stranger.text()).toContain("There is no request");
    const cancelled = await call(client, "cancel_job", request);
    expect(cancelled.structuredContent).toMatchObject({ status: "CANCELLATION_REQUESTED" });
  });

  test("failures are read by the model", async () => {
    const client = await connectHeld();
    const running = call(client, "forecourt_echo", { prompt: "fails" });
    (await held.nextRun()).fail({ code: "runner_failed", message: "It broke." });
    expect(await running).toMatchObject({ isError: true, structuredContent: { status: "failed", error: "It broke." } });
  });
});

describe("tools about the catalogue", () => {
  test("search, schema, prices, recommendations and pages", async () => {
    const client = await connect();
    const found = await call(client, "search_models", { query: "echo", category: "text-to-text", limit: 1 });
    expect(found.structuredContent).toMatchObject({ models: [{ endpoint_id: "forecourt/echo" }] });
    const schema = await call(client, "get_model_schema", { endpoint_id: "fal-ai/echo/fast" });
    expect(schema.structuredContent).toMatchObject({
      endpoint_id: "fal-ai/echo/fast",
      input_schema: { properties: { prompt: { type: "string" } }, required: ["prompt"] },
      examples: [{ prompt: "a red circle", steps: 2 }],
    });
    const prices = await call(client, "get_pricing", { endpoint_id: "forecourt/echo,other/model" });
    expect(prices.structuredContent).toMatchObject({ prices: [{ unit_price: 0.5, unit: "image" }, {}] });
    const best = await call(client, "recommend_model", { task: "I want echoes of the prompt" });
    expect(best.structuredContent).toMatchObject({ recommendations: [{ endpoint_id: "forecourt/echo" }, {}] });
    const pages = await call(client, "search_docs", { query: "idle steps" });
    expect(JSON.stringify(pages.structuredContent)).toContain("/models/forecourt/echo/llms.txt");
  });
});

describe("upload_file", () => {
  const urlOf = (result: Result) => String(result.structuredContent.file_url);
  const read = async (url: string) => await (await gateway.ask("GET", url, { key: "" })).text();

  test("takes content, and gives a URL that is read without a key", async () => {
    const client = await connect();
    const data = Buffer.from("hello").toString("base64");
    const plain = await call(client, "upload_file", { file_name: "a.txt", data });
    expect(await read(urlOf(plain))).toBe("hello");
    const strange = await call(client, "upload_file", { file_name: "\0.txt", data });
    expect(strange).not.toMatchObject({ isError: true });
    const uri = await call(client, "upload_file", { data: `data:image/png;base64,${data}` });
    const response = await gateway.ask("GET", urlOf(uri), { key: "" });
    expect(response.headers.get("content-type")).toBe("image/png");
  });

  test("gives a URL to send large files to", async () => {
    const { structuredContent } = await call(await connect(), "upload_file", {
      prepare_upload: true,
      file_name: "b.bin",
    });
    const url = String(structuredContent.upload_url);
    expect((await gateway.ask("PUT", url, { key: "", body: "large" })).status).toBe(200);
    expect(await read(String(structuredContent.file_url))).toBe("large");
  });

  test("takes no file from inside the network, and no two sources at once", async () => {
    const client = await connect();
    const inside = await call(client, "upload_file", { url: "http://127.0.0.1:1/secret" });
    expect(inside).toMatchObject({ isError: true });
    expect(inside.content[0]?.text).toContain("file_download_error");
    expect(await call(client, "upload_file", { data: "AA==", prepare_upload: true })).toMatchObject({ isError: true });
    expect(await call(client, "upload_file", { data: "no base64!" })).toMatchObject({ isError: true });
  });
});
