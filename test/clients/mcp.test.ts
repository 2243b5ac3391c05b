// The official MCP clients, of both generations of the protocol, against a live server.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Client as Client2026, StreamableHTTPClientTransport as Transport2026 } from "@modelcontextprotocol/client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { proved } from "../support/conformance.ts";
import { type ServerUnderTest, serverUnderTest } from "./server-under-test.ts";

let server: ServerUnderTest;
beforeAll(async () => {
  server = await serverUnderTest();
}, 60_000);
afterAll(() => server[Symbol.asyncDispose]());

type Block = { type: string; text?: string; uri?: string; data?: string; mimeType?: string };
type Result = { isError?: boolean; content: Block[]; structuredContent: Record<string, unknown> };
type Session = {
  tools(): Promise<string[]>;
  call(name: string, input: Record<string, unknown>, onprogress?: (at: number) => void): Promise<Result>;
  close(): Promise<void>;
};

const WAIT = { timeout: 120_000 };
const about = { name: "test", version: "1.0.0" };
const reach = () => ({
  url: new URL(`${server.origin}/mcp`),
  options: { requestInit: { headers: { authorization: `Bearer ${server.key}` } } },
});

async function of2025(): Promise<Session> {
  const client = new Client(about);
  const { url, options } = reach();
  // The SDK's types are written without exactOptionalPropertyTypes.
  const transport = new StreamableHTTPClientTransport(url, options) as Parameters<Client["connect"]>[0];
  await client.connect(transport);
  return {
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    async call(name, input, tell) {
      const onprogress = tell && { onprogress: ({ progress }: { progress: number }) => tell(progress) };
      return (await client.callTool({ name, arguments: input }, undefined, {
        ...WAIT,
        ...onprogress,
      })) as unknown as Result;
    },
    close: () => client.close(),
  };
}

async function of2026(): Promise<Session> {
  const client = new Client2026(about, { versionNegotiation: { mode: "auto" } });
  const { url, options } = reach();
  await client.connect(new Transport2026(url, options));
  expect(client.getProtocolEra()).toBe("modern");
  return {
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    async call(name, input, tell) {
      const onprogress = tell && { onprogress: ({ progress }: { progress: number }) => tell(progress) };
      return (await client.callTool({ name, arguments: input }, { ...WAIT, ...onprogress })) as unknown as Result;
    },
    close: () => client.close(),
  };
}

describe.each([
  ["of 2025", of2025],
  ["of 2026-07-28", of2026],
] as const)("the official client %s", (_, open) => {
  let session: Session;
  beforeAll(async () => {
    session = await open();
  });
  afterAll(() => session.close());

  test("draws a picture with a model's own tool, told of each step", async () => {
    expect(await session.tools()).toEqual(expect.arrayContaining(["forecourt_demo-diffusion", "run_model"]));
    const steps: number[] = [];
    const input = { prompt: "a big red circle on a blue ground", num_inference_steps: 12, seed: 5 };
    const { content, structuredContent } = await session.call("forecourt_demo-diffusion", input, (at) =>
      steps.push(at),
    );
    expect(structuredContent).toMatchObject({ status: "completed", output: { seed: 5 } });
    expect(steps.length).toBeGreaterThan(1);
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
    const link = content.find(({ type }) => type === "resource_link");
    const picture = content.find(({ type }) => type === "image");
    const file = Buffer.from(await (await fetch(link?.uri ?? "")).arrayBuffer());
    expect(picture).toMatchObject({ mimeType: "image/png", data: file.toString("base64") });
    proved("mcp", "mcp", "run");
  }, 120_000);

  test("submits, follows and fetches a request", async () => {
    const endpoint_id = "test/echo/idle";
    const { structuredContent } = await session.call("submit_job", {
      endpoint_id,
      input: { prompt: "x", steps: 3, step_ms: 30 },
    });
    const request = { endpoint_id, request_id: String(structuredContent.request_id) };
    const status = async () => (await session.call("check_job", request)).structuredContent;
    while ((await status()).status !== "COMPLETED");
    expect((await status()).logs).toHaveLength(3);
    expect((await session.call("get_job_result", request)).structuredContent).toMatchObject({
      output: { prompt: "x", steps: 3 },
    });
    proved("mcp", "submit", "status", "logs", "result");
  });

  test("cancels a request", async () => {
    const { structuredContent } = await session.call("submit_job", {
      endpoint_id: "test/echo/idle",
      input: { prompt: "long", steps: 1000, step_ms: 50 },
    });
    const request = { request_id: String(structuredContent.request_id) };
    await session.call("cancel_job", request);
    const status = async () => (await session.call("check_job", request)).structuredContent;
    while ((await status()).status !== "COMPLETED");
    expect(await session.call("get_job_result", request)).toMatchObject({ isError: true });
    proved("mcp", "cancel");
  });

  test("uploads a picture and uses it", async () => {
    const drawn = await session.call("forecourt_demo-diffusion", {
      prompt: "a big green square",
      num_inference_steps: 20,
    });
    const data = drawn.content.find(({ type }) => type === "image")?.data ?? "";
    const uploaded = await session.call("upload_file", { data, file_name: "square.png" });
    const image_url = String(uploaded.structuredContent.file_url);
    const input = { image_url, texts: ["a green square", "a red circle"] };
    const { structuredContent } = await session.call("run_model", { endpoint_id: "forecourt/demo-clip", input });
    const { output } = structuredContent as { output: { scores: number[] } };
    expect(output.scores[0]).toBeGreaterThan(0.5);
    proved("mcp", "upload");
  }, 120_000);

  test("hears which fields are wrong, and of what does not exist", async () => {
    const wrong = await session.call("test_echo_idle", { steps: 0 });
    expect(wrong).toMatchObject({ isError: true, structuredContent: { detail: [{}, {}] } });
    const unknown = await session.call("run_model", { endpoint_id: "test/nothing" });
    expect(unknown).toMatchObject({ isError: true });
    proved("mcp", "error-fields", "error-unknown");
  });

  test("asks for prices and schemas", async () => {
    const { structuredContent } = await session.call("get_pricing", { endpoint_id: "test/echo/idle" });
    expect(structuredContent).toMatchObject({ prices: [{ unit: "request" }] });
  });
});

test("a wrong key is refused", async () => {
  const transport = new StreamableHTTPClientTransport(new URL(`${server.origin}/mcp`), {
    requestInit: { headers: { authorization: "Bearer nobody:nothing" } },
  });
  const client = new Client(about);
  await expect(client.connect(transport as Parameters<Client["connect"]>[0])).rejects.toThrow();
  proved("mcp", "error-auth");
});
