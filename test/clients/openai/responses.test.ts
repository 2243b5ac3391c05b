// OpenAI's Responses API by its own JavaScript client, unmodified: answers, events, conversations that go on, background.
import { expect, test } from "bun:test";
import type OpenAI from "openai";
import { proved } from "../../support/conformance.ts";
import { asked, languageBox, sent } from "./language-box.ts";
import { MODEL } from "./language-server.ts";

const box = languageBox();

/** What came out goes in again; the client's types know of items that only go one way. */
const again = (output: OpenAI.Responses.ResponseOutputItem[]) => output as OpenAI.Responses.ResponseInputItem[];

test("a response says what a chat says, and is there again later", async () => {
  const response = await box.client.responses.create({
    ...asked,
    instructions: "Be brief.",
    metadata: { team: "one" },
  });
  expect(response).toMatchObject({
    object: "response",
    status: "incomplete",
    incomplete_details: { reason: "max_output_tokens" },
    instructions: "Be brief.",
    metadata: { team: "one" },
    usage: { output_tokens: 12 },
  });
  const chat = await box.client.chat.completions.create({
    ...{ model: MODEL, temperature: 0, max_tokens: 12 },
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: asked.input },
    ],
  });
  expect(response.output_text).toBe(chat.choices[0]?.message.content ?? "");
  expect(response.usage?.input_tokens).toBe(chat.usage?.prompt_tokens ?? 0);
  const later = await box.client.responses.retrieve(response.id);
  expect(later.output).toEqual(response.output);
  await expect(sent(box.client.responses.retrieve("resp_nothing"))).rejects.toMatchObject({ status: 404 });
  proved("openai-js", "responses");
});

test("a response is its key's own: another key neither sees it nor goes on from it", async () => {
  const { id } = await box.client.responses.create(asked);
  const other = await box.stranger();
  await expect(sent(other.responses.retrieve(id))).rejects.toMatchObject({ status: 404 });
  await expect(sent(other.responses.cancel(id))).rejects.toMatchObject({ status: 404 });
  const goneOn = sent(other.responses.create({ ...asked, previous_response_id: id }));
  await expect(goneOn).rejects.toMatchObject({ code: "previous_response_not_found" });
  expect((await other.responses.create(asked)).usage?.output_tokens).toBe(12);
});

test("the events of a stream build the same response, in order", async () => {
  const whole = await box.client.responses.create(asked);
  const stream = box.client.responses.stream(asked);
  const types: string[] = [];
  const numbers: number[] = [];
  stream.on("event", ({ type, sequence_number }) => {
    types.push(type);
    numbers.push(sequence_number);
  });
  const final = await stream.finalResponse();
  expect(final.output_text).toBe(whole.output_text);
  expect(numbers).toEqual(numbers.map((_, at) => at));
  expect(types.slice(0, 4)).toEqual([
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
  ]);
  expect(types.slice(-4)).toEqual([
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.incomplete",
  ]);
  // On a busy machine a short answer may come in one piece.
  const long = box.client.responses.stream({ ...asked, max_output_tokens: 400 });
  let pieces = 0;
  long.on("response.output_text.delta", () => pieces++);
  await long.finalResponse();
  expect(pieces).toBeGreaterThan(3);
  proved("openai-js", "responses-stream");
});

test("a conversation goes on from an earlier response, whose instructions stay behind", async () => {
  const first = await box.client.responses.create({ ...asked, instructions: "Be brief." });
  const second = await box.client.responses.create({
    ...asked,
    input: "And its size?",
    previous_response_id: first.id,
  });
  const chat = await box.client.chat.completions.create({
    ...{ model: MODEL, temperature: 0, max_tokens: 12 },
    messages: [
      { role: "user", content: asked.input },
      { role: "assistant", content: first.output_text },
      { role: "user", content: "And its size?" },
    ],
  });
  expect(second.output_text).toBe(chat.choices[0]?.message.content ?? "");
  expect(second.usage?.input_tokens).toBe(chat.usage?.prompt_tokens ?? 0);
  expect(second).toMatchObject({ previous_response_id: first.id, instructions: null });
  const third = await box.client.responses.create({
    ...asked,
    input: [{ role: "user", content: asked.input }, ...again(first.output), { role: "user", content: "And its size?" }],
  });
  expect(third.output_text).toBe(second.output_text);
  const unknown = sent(box.client.responses.create({ ...asked, previous_response_id: "resp_nothing" }));
  await expect(unknown).rejects.toMatchObject({ code: "previous_response_not_found", param: "previous_response_id" });
  proved("openai-js", "responses-previous");
});

test("a tool that must be called is, whole and in events; the answer to the call is taken", async () => {
  // Long enough to come in several pieces on a busy machine too.
  const note = { const: "the one that is beside the others, if there are any, and not behind them" };
  const properties = { shape: { enum: ["circle", "star"] }, note };
  const parameters = { type: "object", properties, required: ["shape", "note"], additionalProperties: false };
  const tool = { type: "function" as const, name: "find_shape", parameters, strict: true };
  const calling = { ...asked, max_output_tokens: 400, tools: [tool], tool_choice: "required" as const };
  const { output } = await box.client.responses.create(calling);
  const call = output.find((item) => item.type === "function_call");
  expect(call).toMatchObject({ name: "find_shape" });
  expect(["circle", "star"]).toContain(JSON.parse(call?.arguments ?? "{}").shape);
  const stream = box.client.responses.stream(calling);
  const told: { delta: string; snapshot: string }[] = [];
  stream.on("response.function_call_arguments.delta", (event) => told.push(event));
  const final = await stream.finalResponse();
  const streamed = final.output.find((item) => item.type === "function_call");
  expect(streamed).toMatchObject({ arguments: call?.arguments });
  // What the client itself adds up, event by event.
  expect(told.at(-1)?.snapshot).toBe(call?.arguments);
  expect(told.map(({ delta }) => delta).join("")).toBe(call?.arguments ?? "");
  expect(told.length).toBeGreaterThan(1);
  const answer = { type: "function_call_output" as const, call_id: call?.call_id ?? "", output: "red" };
  const after = await box.client.responses.create({
    ...asked,
    input: [{ role: "user", content: asked.input }, ...again(output), answer],
  });
  expect(after.usage?.output_tokens).toBe(12);
  proved("openai-js", "responses-tools");
});

test("text keeps to a schema", async () => {
  const schema = {
    ...{ type: "object", additionalProperties: false, required: ["colour"] },
    properties: { colour: { enum: ["red", "blue"] } },
  };
  const { output_text, text } = await box.client.responses.create({
    ...{ ...asked, max_output_tokens: 100 },
    text: { format: { type: "json_schema", name: "answer", schema, strict: true } },
  });
  expect(["red", "blue"]).toContain(JSON.parse(output_text).colour);
  expect(text?.format).toMatchObject({ type: "json_schema", name: "answer" });
});

test("what a response would read is counted beforehand, and costs no tokens", async () => {
  const first = await box.client.responses.create(asked);
  const parameters = { type: "object", properties: { shape: { enum: ["circle", "star"] } }, required: ["shape"] };
  const tools = [{ type: "function" as const, name: "find_shape", parameters, strict: true }];
  for (const more of [{}, { instructions: "Be brief." }, { tools }, { previous_response_id: first.id }]) {
    const given = { model: MODEL, input: asked.input, ...more };
    const { data, response } = await box.client.responses.inputTokens.count(given).withResponse();
    const { usage } = await box.client.responses.create({ ...asked, ...more });
    expect(data).toEqual({ object: "response.input_tokens", input_tokens: usage?.input_tokens ?? 0 });
    expect(response.headers.get("x-fal-billable-units")).toBe("0");
  }
  const count = (more: object) => sent(box.client.responses.inputTokens.count({ model: MODEL, ...more }));
  // Whether a prompt is too long is what one wants to know.
  expect((await count({ input: "circle ".repeat(2000) })).input_tokens).toBeGreaterThan(2000);
  await expect(count({ input: "circle".repeat(2e5) })).rejects.toThrow(/context length is 1024 .* at least \d+\./);
  await expect(count({})).rejects.toMatchObject({ status: 400, param: "input" });
  await expect(count({ model: "nobody/nothing", input: "x" })).rejects.toMatchObject({ code: "model_not_found" });
  await expect(count({ model: "test/embed", input: "x" })).rejects.toMatchObject({ status: 400, param: "model" });
  const unknown = count({ input: "x", previous_response_id: "resp_nothing" });
  await expect(unknown).rejects.toMatchObject({ code: "previous_response_not_found" });
});

test("a response in the background is waited for by its id", async () => {
  const { id, status } = await box.client.responses.create({ ...asked, background: true });
  expect(["queued", "in_progress"]).toContain(status ?? "");
  for (;;) {
    const seen = await box.client.responses.retrieve(id);
    if (seen.status === "incomplete") return expect(seen.usage?.output_tokens).toBe(12);
    expect(["queued", "in_progress"]).toContain(seen.status ?? "");
    await Bun.sleep(20);
  }
});

test("a response in the background is cancelled; one that has ended stays what it is", async () => {
  // The model is so small that an answer may end before the wish to cancel it arrives; it is not so time after time.
  for (let tries = 1; tries <= 30; tries++) {
    const long = { ...asked, max_output_tokens: 900, temperature: 1, background: true };
    const { id } = await box.client.responses.create(long);
    const { status } = await box.client.responses.cancel(id);
    expect(["cancelled", "completed", "incomplete"]).toContain(status ?? "");
    expect((await box.client.responses.retrieve(id)).status).toBe(status);
    expect((await box.client.responses.cancel(id)).status).toBe(status);
    if (status === "cancelled") return;
  }
  throw new Error("none of 30 responses was cancelled before its end");
});

test("what is wrong is said by its field; a response that is not stored cannot be gone on from for long", async () => {
  const webSearch = sent(box.client.responses.create({ ...asked, tools: [{ type: "web_search" }] }));
  await expect(webSearch).rejects.toMatchObject({ status: 400, type: "invalid_request_error" });
  const empty = sent(box.client.responses.create({ model: MODEL } as never));
  await expect(empty).rejects.toMatchObject({ param: "input", code: "missing_required_parameter" });
  for (const stream of [false, true]) {
    const long = sent(box.client.responses.create({ ...asked, input: "circle ".repeat(2000), stream }));
    await expect(long).rejects.toMatchObject({ status: 400, code: "context_length_exceeded" });
  }
  expect(await box.client.responses.create({ ...asked, store: false })).toMatchObject({ store: false });
});
