// What OpenAI's language API has beyond the usual, by OpenAI's own JavaScript client, unmodified: older forms are understood,
// what cannot be done is refused by its field, and nothing is answered as if it had not been asked for.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import OpenAI, { APIError } from "openai";
import { proved } from "../../support/conformance.ts";
import { languageServer, MODEL } from "./language-server.ts";

let server: Awaited<ReturnType<typeof languageServer>>;
let client: OpenAI;
beforeAll(async () => {
  server = await languageServer();
  client = new OpenAI({ apiKey: server.key, baseURL: server.baseURL, maxRetries: 0 });
}, 60_000);
afterAll(() => server[Symbol.asyncDispose]());
setDefaultTimeout(60_000);

type Body = OpenAI.ChatCompletionCreateParamsNonStreaming;
const question = { role: "user" as const, content: "What colour is the circle?" };
const greedy = { model: MODEL, messages: [question], temperature: 0, max_tokens: 8 };
/** Fields that the client's types do not have, or not so. */
const chat = (more: object = {}) => client.chat.completions.create({ ...greedy, ...more } as Body);
const said = async (more: object = {}) => (await chat(more)).choices[0]?.message.content ?? "";
const refusal = async (asked: PromiseLike<unknown>) => {
  const error: unknown = await Promise.resolve(asked).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof APIError)) throw new Error(`no refusal, but ${String(error)}`);
  expect([error.status, error.type]).toEqual([400, "invalid_request_error"]);
  return error.param;
};

/** Blanks within JSON are allowed, and a model of random weights would write them without end. */
const CALLING = { max_tokens: 300, presence_penalty: 2 };
/** Short: the model reads no more than 1024 tokens, which are letters nearly. */
const shape = (names: string[]) => ({ required: ["shape"], properties: { shape: { enum: names } } });
const find = { name: "find", parameters: shape(["circle", "star"]) };
const drop = { name: "drop", parameters: shape(["square"]) };
const tools = [find, drop].map((each) => ({ type: "function", function: each }));
const named = (name: string) => ({ type: "function", function: { name } });

test("functions, which tools have replaced, are called and answered in their own words, whole and in a stream", async () => {
  const asked = { functions: [find, drop], function_call: { name: "find" }, ...CALLING };
  const { message, finish_reason } = (await chat(asked)).choices[0] ?? {};
  expect(finish_reason).toBe("function_call");
  expect(message).toMatchObject({ content: null, function_call: { name: "find" } });
  expect(message?.tool_calls).toBeUndefined();
  expect(["circle", "star"]).toContain(JSON.parse(message?.function_call?.arguments ?? "{}").shape);
  let [streamed, finish] = ["", ""];
  const stream = await client.chat.completions.create({ ...greedy, ...asked, stream: true } as never);
  for await (const { choices } of stream as unknown as AsyncIterable<OpenAI.ChatCompletionChunk>) {
    streamed += choices[0]?.delta.function_call?.arguments ?? "";
    finish = choices[0]?.finish_reason ?? finish;
  }
  expect([streamed, finish]).toEqual([message?.function_call?.arguments ?? "", "function_call"]);
  const answered = [question, { ...message, content: null }, { role: "function", name: "find", content: "red" }];
  const called = { id: "call_1", type: "function", function: message?.function_call };
  const tool = { role: "tool", name: "find", tool_call_id: "call_1", content: "red" };
  const byTools = [question, { role: "assistant", content: null, tool_calls: [called] }, tool];
  expect(await said({ messages: answered })).toBe(await said({ messages: byTools }));
  expect(await said({ functions: [find], function_call: "none" })).toBe(await said());
  proved("openai-js", "chat-functions");
});

test("all forms of tool_choice are kept to", async () => {
  const calledBy = async (tool_choice: unknown, more: object = {}) => {
    const { choices } = await chat({ tools, tool_choice, ...CALLING, ...more });
    return (choices[0]?.message.tool_calls ?? []).map((call) => call.type === "function" && call.function.name);
  };
  expect(await calledBy("none")).toEqual([]);
  expect(await calledBy(named("drop"))).toEqual(["drop"]);
  expect((await calledBy("required")).length).toBeGreaterThan(0);
  expect(await calledBy("required", { parallel_tool_calls: false })).toHaveLength(1);
  const allowed = (...names: string[]) => ({
    ...{ type: "allowed_tools", allowed_tools: { mode: "required", tools: names.map(named) } },
  });
  expect(new Set(await calledBy(allowed("drop")))).toEqual(new Set(["drop"]));
  for (const wrong of [named("nothing"), allowed("find", "nothing")])
    expect(await refusal(calledBy(wrong))).toBe("tool_choice");
  expect(await refusal(calledBy({ type: "custom", custom: { name: "find" } }))).toBe("tool_choice.type");
  expect(await refusal(chat({ tool_choice: "required" }))).toBe("tool_choice");
});

test("what clients write down as null is absent: in answers that come back as messages, in tools, in formats", async () => {
  const message = { refusal: null, annotations: [], audio: null, function_call: null, tool_calls: null };
  const messages = [question, { role: "assistant", content: "red", name: null, ...message }, question];
  expect(await said({ messages })).toBe(
    await said({ messages: [question, { role: "assistant", content: "red" }, question] }),
  );
  const loose = { type: "function", function: { name: "find", description: null, parameters: null, strict: null } };
  expect(await said({ tools: [loose], tool_choice: "none" })).toBe(await said());
  const nulls = {
    temperature: 0,
    top_p: null,
    n: null,
    stop: null,
    seed: null,
    logit_bias: null,
    response_format: null,
  };
  const more = {
    stream: null,
    stream_options: { include_usage: null },
    logprobs: null,
    top_logprobs: null,
    presence_penalty: null,
  };
  expect(await said({ ...nulls, ...more })).toBe(await said());
  const format = {
    type: "json_schema",
    json_schema: { name: "a", description: null, schema: { enum: ["b"] }, strict: null },
  };
  expect(await said({ response_format: format, max_tokens: 30 })).toBe('"b"');
});

test("texts in parts are one text; a refusal is what was said; developer is system", async () => {
  const part = (text: string) => ({ type: "text", text });
  const parts = [{ role: "user", content: [part("What colour"), part(" is the circle?")] }];
  const joined = await said({ messages: [{ role: "user", content: "What colour\n is the circle?" }] });
  const direct = await said({ messages: [{ role: "user", content: "What colour is the circle?" }] });
  expect([joined, direct]).toContain(await said({ messages: parts }));
  const refused = (message: object) => said({ messages: [question, { role: "assistant", ...message }, question] });
  const plain = await refused({ content: "No." });
  expect(await refused({ content: [{ type: "refusal", refusal: "No." }] })).toBe(plain);
  expect(await refused({ content: null, refusal: "No." })).toBe(plain);
  const brief = (role: string) => said({ messages: [{ role, content: "Be brief." }, question] });
  expect(await brief("developer")).toBe(await brief("system"));
});

test("messages that say nothing, and parts that no model here reads, are refused by their place", async () => {
  expect(await refusal(chat({ messages: [] }))).toBe("messages");
  for (const content of [null, undefined])
    expect(await refusal(chat({ messages: [question, { role: "user", content }] }))).toBe("messages[1].content");
  const audio = { type: "input_audio", input_audio: { data: "AAAA", format: "wav" } };
  const file = { type: "file", file: { file_id: "file-1" } };
  for (const part of [audio, file])
    expect(await refusal(chat({ messages: [{ role: "user", content: [part] }] }))).toBe("messages[0].content[0].type");
});

test("seeds of any size and sign are told apart as far as 32 bits; top_p may be 0; the newer limit of tokens counts", async () => {
  const warm = (seed: number) => said({ seed, temperature: 1 });
  for (const seed of [-1, 2 ** 40 + 5, Number.MAX_SAFE_INTEGER]) expect(await warm(seed)).toBe(await warm(seed));
  expect(await warm(2 ** 32 + 5)).toBe(await warm(5));
  expect(await warm(-1)).toBe(await warm(2 ** 32 - 1));
  expect(await warm(-1)).not.toBe(await warm(1));
  expect(await said({ temperature: 1, top_p: 0 })).toBe(await said());
  expect((await chat({ max_completion_tokens: 3 })).usage?.completion_tokens).toBe(3);
  const whole = await said({ max_tokens: 20 });
  for (const stop of [whole.slice(5, 7), [whole.slice(5, 7), "nothing of it"]])
    expect(await said({ max_tokens: 20, stop })).toBe(whole.slice(0, whole.indexOf(whole.slice(5, 7))));
});

test("what means nothing to these models changes nothing", async () => {
  const about = { user: "u", metadata: { team: "one" }, store: true, service_tier: "auto", safety_identifier: "s" };
  const wishes = {
    reasoning_effort: "low",
    verbosity: "low",
    prompt_cache_key: "k",
    modalities: ["text"],
    moderation: null,
  };
  expect(await said({ ...about, ...wishes, prediction: { type: "content", content: "x" } })).toBe(await said());
});

test("what these models cannot do is refused, and not left away", async () => {
  const cases: [object, string][] = [
    [{ modalities: ["text", "audio"], audio: { voice: "alloy", format: "wav" } }, "modalities[1]"],
    [{ web_search_options: {} }, "web_search_options"],
    [{ moderation: { model: "omni-moderation-latest" } }, "moderation"],
    [{ top_logprobs: 2 }, "top_logprobs"],
    [{ logit_bias: { 100000: 5 } }, "logit_bias.100000"],
    [{ response_format: { type: "grammar", grammar: "x" } }, "response_format.type"],
    [{ tools: [{ type: "function" }] }, "tools[0].function"],
    [{ tools: [{ type: "web_search" }] }, "tools[0].type"],
  ];
  for (const [more, param] of cases) expect(await refusal(chat(more))).toBe(param);
  const completion = (more: object) =>
    client.completions.create({ model: MODEL, prompt: "The circle", ...more } as never);
  for (const [more, param] of [
    [{ echo: true, logprobs: 1 }, "logprobs"],
    [{ best_of: 3, n: 2 }, "best_of"],
    [{ suffix: "end" }, "suffix"],
    [{ prompt: [1, 2] }, "prompt[0]"],
  ] as const)
    expect(await refusal(completion(more))).toBe(param);
  const response = (more: object) => client.responses.create({ model: MODEL, input: "Hello", ...more } as never);
  for (const [more, param] of [
    [{ prompt: { id: "pmpt_1" } }, "prompt"],
    [{ moderation: { model: "omni-moderation-latest" } }, "moderation"],
    [{ tools: [{ type: "web_search" }] }, "tools[0].type"],
    [{ input: [{ type: "reasoning", id: "rs_1", summary: [] }] }, "input"],
    [{ input: "circle ".repeat(2000), truncation: "auto" }, "input"],
  ] as const)
    expect(await refusal(response(more))).toBe(param);
});

test("responses: the same of formats, tools and parts", async () => {
  const responded = async (more: object) =>
    (await client.responses.create({
      model: MODEL,
      input: "Hello",
      temperature: 0,
      max_output_tokens: 200,
      ...more,
    } as never)) as OpenAI.Responses.Response;
  const format = { type: "json_schema", name: "a", description: null, schema: { enum: ["b"] }, strict: null };
  expect((await responded({ text: { format } })).output_text).toBe('"b"');
  const short = { max_output_tokens: 8 };
  expect((await responded({ ...short, text: { format: null } })).output_text).toBe(
    (await responded(short)).output_text,
  );
  const flat = [find, drop].map((each) => ({ type: "function", ...each, strict: null }));
  const allowed = { type: "allowed_tools", mode: "required", tools: [{ type: "function", name: "drop" }] };
  const { output } = await responded({ tools: flat, tool_choice: allowed, parallel_tool_calls: false });
  expect(output).toMatchObject([{ type: "function_call", name: "drop" }]);
  const refused = (content: unknown) =>
    responded({
      ...short,
      input: [
        { role: "assistant", content },
        { role: "user", content: "Hello" },
      ],
    });
  const part = [{ type: "refusal", refusal: "No." }];
  expect((await refused(part)).output_text).toBe((await refused("No.")).output_text);
});

test("what is not here is a 404 in OpenAI's shape", async () => {
  for (const path of ["/responses/compact", "/images/variations", "/vector_stores"])
    await expect(Promise.resolve(client.post(path, { body: { model: MODEL, input: "x" } }))).rejects.toMatchObject({
      status: 404,
      type: "invalid_request_error",
    });
});
