// Limits as OpenAI's own clients meet them: a rate and a full queue are tried again, a used up budget and a body that is
// too large are not; what remains is in the headers. A gate before the box counts what the clients send.
import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import OpenAI, { APIError, RateLimitError, toFile } from "openai";
import { proved } from "../../support/conformance.ts";
import { until } from "../../support/live-server.ts";
import { pythonWith } from "../../support/python-venv.ts";
import { languageServer, MODEL, OPENAI_PYTHON } from "./language-server.ts";

setDefaultTimeout(60_000);

let server: Awaited<ReturnType<typeof languageServer>>;
let gate: ReturnType<typeof Bun.serve>;
/** Answers that passed the gate since the test began. */
let passed: { status: number; headers: Headers }[] = [];
/** Called for each refusal before the client hears of it. */
let onRefusal: () => Promise<unknown> = async () => {};

beforeAll(async () => {
  server = await languageServer({ env: { FORECOURT_LIMITS_BODY_MB: "1" } });
  gate = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      const { method, headers } = request;
      const answer = await fetch(`${server.origin}${pathname}${search}`, {
        ...{ method, headers },
        ...(method !== "GET" && { body: await request.arrayBuffer() }),
      });
      passed.push({ status: answer.status, headers: answer.headers });
      if (answer.status !== 429) return answer;
      await onRefusal();
      // A minute passes in no time here.
      const shown = new Headers(answer.headers);
      if (shown.has("retry-after")) shown.set("retry-after", "0.01");
      return new Response(await answer.text(), { status: answer.status, headers: shown });
    },
  });
}, 60_000);
afterAll(async () => {
  await gate.stop(true);
  await server[Symbol.asyncDispose]();
});
afterEach(() => {
  passed = [];
  onRefusal = async () => {};
});

const admin = async (method: string, path: string, body: object) => {
  const answer = await fetch(`${server.origin}/admin/v1/${path}`, {
    method,
    headers: { authorization: `Key ${server.key}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect(answer.ok).toBe(true);
  return (await answer.json()) as { id: string; key: string };
};
const makeKey = (limits: object) => admin("POST", "keys", { name: "app", ...limits });
const setLimits = (id: string, limits: object) => admin("PUT", `limits/key/${id}`, limits);
const clientWith = (apiKey: string, maxRetries: number) =>
  new OpenAI({ apiKey, baseURL: `http://127.0.0.1:${gate.port}/v1`, maxRetries });

const asked = {
  ...{ model: MODEL, temperature: 0, max_tokens: 4 },
  messages: [{ role: "user" as const, content: "What colour is the circle?" }],
};
const statuses = () => passed.map(({ status }) => status);
const errorOf = async (promise: PromiseLike<unknown>): Promise<APIError> => {
  const thrown: unknown = await Promise.resolve(promise).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof APIError) return thrown;
  throw new Error(`no refusal, but ${String(thrown)}`);
};

test("answers tell what remains of a rate; beyond it OpenAI's 429 says when to come again", async () => {
  const { key } = await makeKey({ requests_per_minute: 2 });
  const client = clientWith(key, 0);
  const { response } = await client.chat.completions.create(asked).withResponse();
  expect(response.headers.get("x-ratelimit-limit-requests")).toBe("2");
  expect(response.headers.get("x-ratelimit-remaining-requests")).toBe("1");
  expect(response.headers.get("x-ratelimit-reset-requests")).toBe("0s");
  await client.completions.create({ model: MODEL, prompt: "The circle", max_tokens: 2 });
  const refused = await errorOf(client.chat.completions.create({ ...asked, stream: true }));
  expect(refused).toBeInstanceOf(RateLimitError);
  expect(refused).toMatchObject({ code: "rate_limit_exceeded", type: "requests", param: null });
  expect(refused.message).toContain("2 requests/minute");
  const [, , { headers = new Headers() } = {}] = passed;
  expect(Number(headers.get("retry-after"))).toBeWithin(1, 61);
  expect(headers.get("x-ratelimit-remaining-requests")).toBe("0");
  expect(headers.get("x-ratelimit-reset-requests")).toMatch(/^(\d|[1-5]\d)s$|^1m0s$/);
  expect(headers.get("x-request-id")).not.toBeNull();
});

test("a rate is tried again, and then answered", async () => {
  const { id, key } = await makeKey({ requests_per_minute: 1 });
  onRefusal = () => setLimits(id, { requests_per_minute: 100 });
  const client = clientWith(key, 2);
  for (let count = 0; count < 2; count++)
    expect((await client.chat.completions.create(asked)).usage?.completion_tokens).toBe(4);
  expect(statuses()).toEqual([200, 429, 200]);
});

/** A request of this key waits behind one of the administrator's, until it is let go. */
async function fillQueue(key: string): Promise<AsyncDisposable> {
  const ask = async (method: string, path: string, by: string) => {
    const body = method === "POST" && JSON.stringify({ prompt: "long", steps: 1000, step_ms: 60 });
    const headers = { authorization: `Key ${by}` };
    const answer = await fetch(`${server.origin}/queue/forecourt/echo${path}`, {
      method,
      headers,
      ...(body && { body }),
    });
    return (await answer.json()) as { request_id: string; status: string };
  };
  const first = await ask("POST", "", server.key);
  await until(
    async () => (await ask("GET", `/requests/${first.request_id}/status`, server.key)).status === "IN_PROGRESS",
    "the model has begun the request",
  );
  const waits = await ask("POST", "", key);
  return {
    async [Symbol.asyncDispose]() {
      for (const { request_id } of [waits, first]) await ask("PUT", `/requests/${request_id}/cancel`, server.key);
    },
  };
}

test("a full queue is tried again, and then answered, also as a stream", async () => {
  const { id, key } = await makeKey({ queue: 1 });
  await using _filled = await fillQueue(key);
  onRefusal = () => setLimits(id, {});
  let text = "";
  for await (const { choices } of await clientWith(key, 2).chat.completions.create({ ...asked, stream: true }))
    text += choices[0]?.delta.content ?? "";
  expect(text.length).toBeGreaterThan(0);
  expect(statuses()).toEqual([429, 200]);
  await setLimits(id, { queue: 1 });
  onRefusal = async () => {};
  expect(await errorOf(clientWith(key, 0).chat.completions.create(asked))).toMatchObject({ code: "queue_full" });
  expect(passed.at(-1)?.headers.get("retry-after")).toBe("1");
});

test("a budget that is used up is not tried again, whatever asks for it", async () => {
  const { key } = await makeKey({ budgets: ["1 requests/month"] });
  const client = clientWith(key, 5);
  await client.embeddings.create({ model: "test/embed", input: "red" });
  const refused = await errorOf(client.chat.completions.create(asked));
  expect(refused).toBeInstanceOf(RateLimitError);
  expect(refused).toMatchObject({ code: "insufficient_quota", type: "insufficient_quota" });
  const others = [
    () => client.chat.completions.create({ ...asked, stream: true }),
    () => client.responses.create({ model: MODEL, input: "What colour is the circle?" }),
    () => client.embeddings.create({ model: "test/embed", input: "red" }),
    () => client.images.generate({ model: "test/text-to-image", prompt: "a red circle" }),
  ];
  for (const other of others) expect(await errorOf(other())).toMatchObject({ code: "insufficient_quota" });
  expect(statuses()).toEqual([200, 429, 429, 429, 429, 429]);
  const { headers = new Headers() } = passed.at(-1) ?? {};
  expect(headers.get("x-should-retry")).toBe("false");
  expect(headers.get("x-forecourt-budget-remaining")).toBe("0 requests");
  proved("openai-js", "openai-retry");
});

test("a body that is too large is a 413 of its own, said once, as JSON and as a form", async () => {
  const client = clientWith(server.key, 3);
  const long = [{ role: "user" as const, content: "circle ".repeat(300_000) }];
  const refused = await errorOf(client.chat.completions.create({ ...asked, messages: long }));
  expect(refused).toMatchObject({ status: 413, code: "request_too_large", type: "invalid_request_error" });
  const file = await toFile(Buffer.alloc(2 * 1024 * 1024), "a.wav");
  const heard = await errorOf(client.audio.transcriptions.create({ model: "test/transcribe", file }));
  expect(heard).toMatchObject({ status: 413, code: "request_too_large" });
  expect(statuses()).toEqual([413, 413]);
});

const bin = pythonWith(OPENAI_PYTHON);

test.skipIf(bin === undefined)("OpenAI's Python client tries a rate again and a budget not", async () => {
  const rate = await makeKey({ requests_per_minute: 1 });
  const budget = await makeKey({ budgets: ["1 requests/month"] });
  onRefusal = () => setLimits(rate.id, { requests_per_minute: 100 });
  const script = join(import.meta.dir, "programs/openai_limits.py");
  const origin = `http://127.0.0.1:${gate.port}/v1`;
  const child = Bun.spawn([join(bin ?? "", "python"), script, origin, rate.key, budget.key, MODEL], { stderr: "pipe" });
  const [printed, complaint] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  expect(complaint).toBe("");
  expect(JSON.parse(printed)).toEqual({ answered: 2, refused: ["RateLimitError", 429, "insufficient_quota"] });
  expect(statuses()).toEqual([200, 429, 200, 200, 429]);
  proved("openai-python", "openai-retry");
});
