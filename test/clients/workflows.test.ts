// Workflows by fal's own client: those that come with their call and stored ones, with pictures passed from model to model.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ApiError, createFalClient, type FalClient, type QueueStatus, ValidationError } from "@fal-ai/client";
import { proved } from "../support/conformance.ts";
import { onBox, rewrittenFetch } from "./hosts-on-box.ts";
import { type ServerUnderTest, serverUnderTest } from "./server-under-test.ts";

let server: ServerUnderTest;
let fal: FalClient;
beforeAll(async () => {
  server = await serverUnderTest();
  fal = createFalClient({ credentials: server.key, fetch: rewrittenFetch((url) => onBox(url, server.origin)) });
}, 60_000);
afterAll(() => server[Symbol.asyncDispose]());

/** Draws, cuts the left half out and says what is on it; the text is joined by fal's own utility node. */
const nodes = {
  prompt: {
    ...{ id: "prompt", type: "run", depends: ["input"], app: "fal-ai/text-concat" },
    input: { text1: "$input.shape", text2: " on the left on a white ground" },
  },
  drawn: {
    ...{ id: "drawn", type: "run", depends: ["prompt"], app: "forecourt/demo-diffusion" },
    input: { prompt: "$prompt.results", seed: 3 },
  },
  half: {
    ...{ id: "half", type: "run", depends: ["drawn"], app: "fal-ai/workflow-utilities/crop-image" },
    input: { image_url: "$drawn.images.0.url", width_percent: 50 },
  },
  seen: {
    ...{ id: "seen", type: "run", depends: ["half"], app: "forecourt/demo-clip" },
    input: { image_url: "$half.image.url", texts: ["$input.shape", "a blue square"] },
  },
};
const fields = { whole: "$drawn.images.0.url", half: "$half.image", scores: "$seen.scores" };
const display = { id: "output", type: "display", depends: ["drawn", "half", "seen"], input: {}, fields };
const input = { shape: "a big red circle" };
const workflow = { input: { id: "input", type: "input", depends: [], input: {} }, ...nodes, output: display };

type Output = { whole: string; half: { url: string; width: number; height: number }; scores: number[] };
type Event = { type: string; node_id?: string; app_id?: string; request_id?: string; output?: Output };

async function expectPictures({ whole, half, scores }: Output) {
  expect(half).toMatchObject({ width: 64, height: 128 });
  expect(scores[0]).toBeGreaterThan(0.5);
  for (const url of [whole, half.url]) {
    expect(url).toStartWith(`${server.origin}/files/`);
    expect((await fetch(url)).headers.get("content-type")).toBe("image/png");
  }
}

describe("a workflow that comes with its call", () => {
  test("streams its nodes' submissions and completions, and ends with the output", async () => {
    const stream = await fal.stream("workflows/execute", { input: { input, workflow } });
    const seen: Event[] = [];
    for await (const event of stream) seen.push(event as Event);
    const named = seen.map(({ type, node_id }) => [type, node_id].filter(Boolean).join(" "));
    const ran = ["drawn", "half", "seen"].flatMap((node) => [`submit ${node}`, `completion ${node}`]);
    expect(named).toEqual(["completion prompt", ...ran, "completion output", "output"]);
    const last = (await stream.done()) as Event;
    expect(last.type).toBe("output");
    await expectPictures(last.output as Output);
    proved("js", "workflow");
  }, 60_000);

  test("runs at once too, and wrong nodes are a ValidationError", async () => {
    const { data, requestId } = await fal.run("workflows/execute", { input: { input, workflow } });
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
    await expectPictures(data as Output);
    const failure = await fal
      .run("workflows/execute", { input: { input, workflow: { a: { type: "run", app: "no/model" } } } })
      .catch((error) => error);
    if (!(failure instanceof ValidationError)) throw failure;
    expect(failure.fieldErrors).toMatchObject([{ loc: ["body", "workflow", "a", "app"] }]);
  }, 60_000);
});

describe("a stored workflow", () => {
  let id: string;
  beforeAll(async () => {
    const contents = {
      ...{ name: "workflow", version: "1", nodes: { ...nodes, output: display }, output: fields },
      schema: { input: { shape: { name: "shape", label: "Shape", type: "string", required: true } }, output: {} },
    };
    const response = await fetch(`${server.origin}/platform/v1/workflows`, {
      method: "POST",
      headers: { authorization: `Key ${server.key}`, "content-type": "application/json" },
      body: JSON.stringify({ name: `halves-${Date.now()}`, title: "Halves", contents }),
    });
    id = (await response.json()).workflow.endpoint_id;
  });

  test.each(["polling", "streaming"] as const)(
    "is subscribed to by %s",
    async (mode) => {
      let enqueued = "";
      const statuses: QueueStatus[] = [];
      const common = {
        ...{ input, logs: true },
        onEnqueue: (request: string) => {
          enqueued = request;
        },
        onQueueUpdate: (status: QueueStatus) => void statuses.push(status),
      };
      const { data, requestId } = await fal.subscribe(
        id,
        mode === "polling" ? { ...common, mode, pollInterval: 20 } : { ...common, mode },
      );
      expect(requestId).toBe(enqueued);
      await expectPictures(data as Output);
      const last = statuses.at(-1);
      expect(last?.status).toBe("COMPLETED");
      const logs = last && "logs" in last ? (last.logs ?? []) : [];
      expect(logs.map(({ message }) => message.split(":")[0])).toEqual(["drawn", "half", "seen"]);
    },
    60_000,
  );

  test("is streamed, and its nodes are requests of their own", async () => {
    const stream = await fal.stream(id, { input });
    const seen: Event[] = [];
    for await (const event of stream) seen.push(event as Event);
    expect(seen.at(-1)?.type).toBe("output");
    const { request_id: requestId = "", app_id: app = "" } = seen.find(({ type }) => type === "submit") ?? {};
    expect(app).toBe("forecourt/demo-diffusion");
    const { data } = await fal.queue.result(app, { requestId });
    expect(data).toMatchObject({ seed: 3, prompt: "a big red circle on the left on a white ground" });
  }, 60_000);

  test("is submitted, cancelled and asked for by its queue's URLs", async () => {
    const { request_id: requestId } = await fal.queue.submit(id, { input });
    await fal.queue.cancel(id, { requestId });
    const stream = await fal.queue.streamStatus(id, { requestId });
    expect(await stream.done()).toMatchObject({ status: "COMPLETED", error_type: "client_cancelled" });
    const failure = await fal.queue.result(id, { requestId }).catch((error) => error);
    expect(failure).toBeInstanceOf(ApiError);
    expect(failure).toMatchObject({ status: 499 });
  });

  test("checks what it is given by what it declares", async () => {
    const failure = await fal.run(id, { input: {} }).catch((error) => error);
    if (!(failure instanceof ValidationError)) throw failure;
    expect(failure.getFieldErrors("shape")).toMatchObject([{ type: "missing" }]);
  });
});
