// OpenAI's own JavaScript client, unmodified, against a live server: chat, streams, completions, models and every error.
import { afterAll, beforeAll, expect, test } from "bun:test";
import OpenAI, { APIConnectionTimeoutError, AuthenticationError, BadRequestError, NotFoundError } from "openai";
import { proved } from "../../support/conformance.ts";
import { BRIEF, briefModel } from "./brevity.ts";
import { languageServer, MODEL } from "./language-server.ts";

let server: Awaited<ReturnType<typeof languageServer>>;
let client: OpenAI;
beforeAll(async () => {
  server = await languageServer({ models: { brief: await briefModel() } });
  client = new OpenAI({ apiKey: server.key, baseURL: server.baseURL, maxRetries: 0 });
}, 60_000);
afterAll(() => server[Symbol.asyncDispose]());

/** The client's promises begin when they are awaited. */
const sent = async <T>(asked: PromiseLike<T>) => await asked;

const messages = [{ role: "user" as const, content: "What colour is the circle?" }];
const greedy = { model: MODEL, messages, temperature: 0, max_tokens: 12 };

test("models are listed and shown, also those with slashes in their ids", async () => {
  const ids: string[] = [];
  for await (const { id } of client.models.list()) ids.push(id);
  expect(ids).toContain(MODEL);
  expect(ids).toContain("forecourt/demo-diffusion");
  expect(await client.models.retrieve("openai/gpt-tiny")).toMatchObject({
    id: MODEL,
    object: "model",
    owned_by: "test",
  });
  await expect(sent(client.models.retrieve("openai/nothing"))).rejects.toBeInstanceOf(NotFoundError);
  proved("openai-js", "models");
});

test("a chat is answered, with its usage and why it ended, and its stream says the same", async () => {
  const { data: whole, response } = await client.chat.completions.create(greedy).withResponse();
  expect(whole).toMatchObject({
    object: "chat.completion",
    model: MODEL,
    choices: [{ index: 0, message: { role: "assistant", refusal: null }, finish_reason: "length", logprobs: null }],
    usage: { completion_tokens: 12 },
  });
  expect(whole.usage?.total_tokens).toBe(12 + (whole.usage?.prompt_tokens ?? 0));
  expect(response.headers.get("x-request-id")).toBe(whole.id.replace("chatcmpl-", ""));
  expect(response.headers.get("x-forecourt-device")).toBe("cpu");
  const read = whole.usage?.prompt_tokens ?? 0;
  expect(response.headers.get("x-fal-billable-units")).toBe(String(read));
  expect(response.headers.get("x-forecourt-cost")).toBe(`${(read + 24) / 1000} USD`);

  const stream = await client.chat.completions.create({
    ...greedy,
    stream: true,
    stream_options: { include_usage: true },
  });
  let [text, chunks] = ["", 0];
  let usage: OpenAI.CompletionUsage | null | undefined;
  const finished: unknown[] = [];
  for await (const chunk of stream) {
    const [choice] = chunk.choices;
    text += choice?.delta.content ?? "";
    if (choice?.finish_reason) finished.push(choice.finish_reason);
    usage = chunk.usage;
    chunks++;
  }
  expect(text).toBe(whole.choices[0]?.message.content ?? "");
  expect(finished).toEqual(["length"]);
  expect(usage).toMatchObject({ completion_tokens: 12 });
  expect(chunks).toBeGreaterThan(3);
  proved("openai-js", "chat", "chat-stream");
});

test("several answers at once, each with a seed of its own", async () => {
  const { choices, usage } = await client.chat.completions.create({ ...greedy, temperature: 1, seed: 5, n: 3 });
  expect(choices.map(({ index }) => index)).toEqual([0, 1, 2]);
  expect(new Set(choices.map(({ message }) => message.content)).size).toBeGreaterThan(1);
  const again = await client.chat.completions.create({ ...greedy, temperature: 1, seed: 5, n: 3 });
  expect(again.choices).toEqual(choices);
  expect(usage?.completion_tokens).toBe(36);
  const seen = new Set<number>();
  const stream = await client.chat.completions.create({ ...greedy, n: 2, stream: true });
  for await (const chunk of stream) if (chunk.choices[0]?.finish_reason) seen.add(chunk.choices[0].index);
  expect([...seen].sort()).toEqual([0, 1]);
  proved("openai-js", "chat-n");
});

test("log probabilities come with the likeliest others, whole and in a stream", async () => {
  const asked = { ...greedy, logprobs: true, top_logprobs: 2 };
  const { choices } = await client.chat.completions.create(asked);
  const scores = choices[0]?.logprobs?.content ?? [];
  expect(scores).toHaveLength(12);
  for (const { logprob, top_logprobs } of scores) {
    expect(top_logprobs).toHaveLength(2);
    expect(top_logprobs[0]?.logprob).toBeCloseTo(logprob, 5); // greedy takes the likeliest
  }
  const streamed: string[] = [];
  for await (const chunk of await client.chat.completions.create({ ...asked, stream: true }))
    for (const { token } of chunk.choices[0]?.logprobs?.content ?? []) streamed.push(token);
  expect(streamed).toEqual(scores.map(({ token }) => token));
  proved("openai-js", "chat-logprobs");
});

test("a stop string ends the answer before it", async () => {
  const whole = await client.chat.completions.create(greedy);
  const text = whole.choices[0]?.message.content ?? "";
  const stop = text.slice(4, 7);
  const { choices } = await client.chat.completions.create({ ...greedy, stop });
  expect(choices[0]).toMatchObject({ message: { content: text.slice(0, text.indexOf(stop)) }, finish_reason: "stop" });
});

test("the old completions go on with a text, or several, and echo it when asked", async () => {
  const asked = { model: MODEL, prompt: ["The circle", "Hello there"], temperature: 0, max_tokens: 6 };
  const { choices, usage } = await client.completions.create({ ...asked, echo: true });
  expect(choices.map(({ text }) => text.startsWith("The circle") || text.startsWith("Hello there"))).toEqual([
    true,
    true,
  ]);
  const scored = await client.completions.create({ ...asked, logprobs: 1 });
  expect(scored.choices[0]?.logprobs?.tokens).toHaveLength(6);
  expect(usage?.completion_tokens).toBe(12);
  let text = "";
  for await (const chunk of await client.completions.create({ ...asked, prompt: "The circle", stream: true }))
    text += chunk.choices[0]?.text ?? "";
  expect(`The circle${text}`).toBe(choices[0]?.text ?? "");
  proved("openai-js", "completions");
});

test("what is wrong is said in OpenAI's words, by the field", async () => {
  const wrongRole = sent(
    client.chat.completions.create({
      ...greedy,
      messages: [{ role: "nobody", content: "x" } as never],
    }),
  );
  await expect(wrongRole).rejects.toMatchObject({
    status: 400,
    type: "invalid_request_error",
    param: "messages[0].role",
  });
  const tooHot = sent(client.chat.completions.create({ ...greedy, temperature: 3 }));
  await expect(tooHot).rejects.toMatchObject({ status: 400, param: "temperature", code: "invalid_value" });
  const nothing = sent(client.chat.completions.create({ model: MODEL } as never));
  await expect(nothing).rejects.toMatchObject({ param: "messages", code: "missing_required_parameter" });
  const unknown = sent(client.chat.completions.create({ ...greedy, model: "gpt-4o" }));
  await expect(unknown).rejects.toMatchObject({ status: 404, code: "model_not_found", param: "model" });
  const picture = sent(client.chat.completions.create({ ...greedy, model: "forecourt/demo-diffusion" }));
  await expect(picture).rejects.toThrow(/not for this.*text-to-image/);
  const stranger = new OpenAI({ apiKey: "nobody:nothing", baseURL: server.baseURL, maxRetries: 0 });
  await expect(sent(stranger.chat.completions.create(greedy))).rejects.toBeInstanceOf(AuthenticationError);
  await expect(sent(client.get("/nothing"))).rejects.toMatchObject({ status: 404, type: "invalid_request_error" });
  await expect(sent(client.get("/chat/completions"))).rejects.toMatchObject({ status: 405 });
  proved("openai-js", "error-input", "error-auth", "error-unknown");
});

test("a conversation that is too long is refused with both numbers, also in a stream", async () => {
  const long = [{ role: "user" as const, content: "circle ".repeat(2000) }];
  for (const stream of [false, true]) {
    const refused = sent(client.chat.completions.create({ ...greedy, messages: long, stream }));
    await expect(refused).rejects.toMatchObject({ status: 400, code: "context_length_exceeded" });
    await expect(refused).rejects.toThrow(/This model's maximum context length is 1024 tokens.* the prompt has \d+/);
    await expect(refused).rejects.toBeInstanceOf(BadRequestError);
  }
});

/** The HTTP status of the result of a stream whose caller left at its first piece. */
async function leaveEarly(): Promise<number> {
  const stream = await client.chat.completions.create({ ...greedy, max_tokens: 900, temperature: 1, stream: true });
  let id = "";
  for await (const chunk of stream) {
    id = chunk.id.replace("chatcmpl-", "");
    stream.controller.abort();
    break;
  }
  const ask = (what: string) =>
    fetch(`${server.origin}/queue/test/llama/requests/${id}${what}`, {
      headers: { authorization: `Key ${server.key}` },
    });
  // The stream of its status ends when it is over.
  await (await ask("/status/stream")).text();
  return (await ask("")).status;
}

test("who leaves in the middle of a stream takes the job along", async () => {
  // The model is so small that it may be done before the news arrives; it is not so time after time.
  for (let tries = 1; tries <= 30; tries++) if ((await leaveEarly()) === 499) return proved("openai-js", "abort");
  throw new Error("none of 30 streams ended with its caller");
});

test("tools are called, whole and in a stream; JSON and its schemas are kept to", async () => {
  const shape = { type: "object", required: ["shape"], properties: { shape: { enum: ["circle", "star"] } } };
  const calling = {
    ...{
      ...greedy,
      max_tokens: 300,
      presence_penalty: 2,
      tool_choice: "required" as const,
      parallel_tool_calls: false,
    },
    tools: [{ type: "function" as const, function: { name: "find", parameters: shape } }],
  };
  const [call] = (await client.chat.completions.create(calling)).choices[0]?.message.tool_calls ?? [];
  if (call?.type !== "function") throw new Error("no function was called");
  expect(["circle", "star"]).toContain(JSON.parse(call.function.arguments).shape);
  const streamed = await client.chat.completions.stream(calling).finalChatCompletion();
  expect(streamed.choices[0]?.message.tool_calls).toMatchObject([{ function: call.function }]);
  const pieces: string[] = [];
  let [id, name] = ["", ""];
  for await (const { choices } of await client.chat.completions.create({ ...calling, stream: true }))
    for (const { id: of = "", function: part } of choices[0]?.delta.tool_calls ?? []) {
      id += of;
      name += part?.name ?? "";
      pieces.push(part?.arguments ?? "");
    }
  expect([name, pieces.join("")]).toEqual([call.function.name, call.function.arguments]);
  expect(id).toMatch(/^call_\w{24}$/);
  expect(pieces.length).toBeGreaterThan(2);
  proved("openai-js", "chat-tools", "chat-tools-stream");
  const formatted = async (response_format: OpenAI.ChatCompletionCreateParams["response_format"], model = MODEL) => {
    const asked = { ...greedy, model, max_tokens: 200, ...(response_format && { response_format }) };
    return JSON.parse((await client.chat.completions.create(asked)).choices[0]?.message.content ?? "");
  };
  const json_schema = { name: "shape", schema: shape };
  expect(["circle", "star"]).toContain((await formatted({ type: "json_schema", json_schema })).shape);
  expect(await formatted({ type: "json_object" }, BRIEF)).toBeObject();
  proved("openai-js", "chat-schema", "chat-json");
});

test("a client that waits no longer ends with its own error", async () => {
  const slow = { ...greedy, max_tokens: 900 };
  const hurried = sent(client.chat.completions.create(slow, { timeout: 20 }));
  await expect(hurried).rejects.toBeInstanceOf(APIConnectionTimeoutError);
  proved("openai-js", "timeout");
});

test("OpenAI's client finds the same at fal's router, under fal.run, with its own kinds of failure", async () => {
  const baseURL = `${server.baseURL.replace(/\/v1\/?$/, "")}/run/openrouter/router/openai/v1`;
  const router = new OpenAI({ apiKey: server.key, baseURL, maxRetries: 0 });
  const { choices } = await router.chat.completions.create(greedy);
  const { choices: direct } = await client.chat.completions.create(greedy);
  expect(choices[0]?.message).toEqual(direct[0]?.message as never);
  const unknown = sent(router.chat.completions.create({ ...greedy, model: "openai/nothing" }));
  await expect(unknown).rejects.toBeInstanceOf(NotFoundError);
  const stranger = new OpenAI({ apiKey: "nobody:nothing", baseURL, maxRetries: 0 });
  await expect(sent(stranger.chat.completions.create(greedy))).rejects.toBeInstanceOf(AuthenticationError);
});
