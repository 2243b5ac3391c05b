// Conversations by OpenAI's own JavaScript client, unmodified: made, gone on from, told item by item, deleted.
import { expect, test } from "bun:test";
import type OpenAI from "openai";
import { proved } from "../../support/conformance.ts";
import { asked, languageBox, sent } from "./language-box.ts";
import { MODEL } from "./language-server.ts";

const box = languageBox();

type Item = OpenAI.Conversations.ConversationItem & { content?: { text: string }[] };
const itemsOf = async (id: string, query: OpenAI.Conversations.ItemListParams = {}) => {
  const items: Item[] = [];
  for await (const item of box.client.conversations.items.list(id, query)) items.push(item as Item);
  return items;
};
const textsOf = (items: Item[]) => items.map(({ type, content }) => content?.[0]?.text ?? type);
const begun = [
  { role: "developer" as const, content: "Be brief." },
  { role: "user" as const, content: [{ type: "input_text" as const, text: "Hello." }] },
  { type: "message" as const, role: "assistant" as const, content: "Hello!" },
];

test("a conversation is made, told, marked and deleted", async () => {
  const made = await box.client.conversations.create({ metadata: { team: "one" }, items: begun });
  expect(made).toMatchObject({ object: "conversation", metadata: { team: "one" } });
  expect(await box.client.conversations.retrieve(made.id)).toEqual(made);
  const marked = await box.client.conversations.update(made.id, { metadata: { team: "two" } });
  expect(await box.client.conversations.retrieve(made.id)).toEqual({ ...made, metadata: { team: "two" } });
  expect(marked.metadata).toEqual({ team: "two" });
  const all = ["Be brief.", "Hello.", "Hello!"];
  expect(textsOf(await itemsOf(made.id))).toEqual(all.toReversed());
  expect(textsOf(await itemsOf(made.id, { order: "asc", limit: 1 }))).toEqual(all);
  expect(await box.client.conversations.delete(made.id)).toEqual({
    ...{ id: made.id, object: "conversation.deleted", deleted: true },
  });
  await expect(sent(box.client.conversations.retrieve(made.id))).rejects.toMatchObject({ status: 404 });
  await expect(sent(box.client.conversations.items.list(made.id))).rejects.toMatchObject({ status: 404 });
  expect((await box.client.conversations.create()).metadata).toEqual({});
});

test("responses go on from a conversation and become part of it, as if all had been sent", async () => {
  const { id } = await box.client.conversations.create({ items: begun });
  const first = await box.client.responses.create({ ...asked, conversation: id });
  expect(first.conversation).toEqual({ id });
  const chat = async (messages: OpenAI.ChatCompletionMessageParam[]) =>
    await box.client.chat.completions.create({ model: MODEL, temperature: 0, max_tokens: 12, messages });
  const said: OpenAI.ChatCompletionMessageParam[] = [
    { role: "developer", content: "Be brief." },
    { role: "user", content: "Hello." },
    { role: "assistant", content: "Hello!" },
    { role: "user", content: asked.input },
  ];
  const whole = await chat(said);
  expect(first.output_text).toBe(whole.choices[0]?.message.content ?? "");
  expect(first.usage?.input_tokens).toBe(whole.usage?.prompt_tokens ?? 0);
  const input = "And its size?";
  const counted = await box.client.responses.inputTokens.count({ model: MODEL, input, conversation: { id } });
  const stream = box.client.responses.stream({ ...asked, input, conversation: { id } });
  const second = await stream.finalResponse();
  expect(second.usage?.input_tokens).toBe(counted.input_tokens);
  const longer = await chat([
    ...said,
    { role: "assistant", content: first.output_text },
    { role: "user", content: input },
  ]);
  expect(second.output_text).toBe(longer.choices[0]?.message.content ?? "");
  const items = await itemsOf(id, { order: "asc" });
  expect(textsOf(items).slice(3)).toEqual([asked.input, first.output_text, input, second.output_text]);
  expect(items.at(-1)).toMatchObject({ id: second.output[0]?.id, role: "assistant", type: "message" });
  proved("openai-js", "conversations");
});

test("calls of tools and what they gave are items too", async () => {
  const parameters = { type: "object", properties: { shape: { enum: ["circle", "star"] } }, required: ["shape"] };
  const tools = [{ type: "function" as const, name: "find", parameters, strict: true }];
  const { id } = await box.client.conversations.create();
  const calling = { ...asked, max_output_tokens: 200, conversation: id, tools, tool_choice: "required" as const };
  const { output } = await box.client.responses.create(calling);
  const call = output.find((item) => item.type === "function_call");
  const answer = { type: "function_call_output" as const, call_id: call?.call_id ?? "", output: "red" };
  await box.client.responses.create({ ...asked, input: [answer], conversation: id });
  const items = await itemsOf(id, { order: "asc" });
  expect(items.map(({ type }) => type)).toEqual(["message", "function_call", "function_call_output", "message"]);
  expect(items[1]).toMatchObject({
    id: call?.id ?? "",
    call_id: call?.call_id ?? "",
    arguments: call?.arguments ?? "",
  });
});

test("items are added, told and taken out one by one; what was taken out is not read again", async () => {
  const { id } = await box.client.conversations.create();
  const added = await box.client.conversations.items.create(id, { items: begun });
  expect(added).toMatchObject({ object: "list", has_more: false });
  const [, hello] = added.data;
  const place = { conversation_id: id };
  expect(await box.client.conversations.items.retrieve(hello?.id ?? "", place)).toEqual(hello as Item);
  const given = { model: MODEL, input: asked.input, conversation: id };
  const before = await box.client.responses.inputTokens.count(given);
  expect((await box.client.conversations.items.delete(hello?.id ?? "", place)).id).toBe(id);
  expect((await box.client.responses.inputTokens.count(given)).input_tokens).toBeLessThan(before.input_tokens);
  await expect(sent(box.client.conversations.items.retrieve(hello?.id ?? "", place))).rejects.toMatchObject({
    status: 404,
  });
  expect(textsOf(await itemsOf(id, { order: "asc" }))).toEqual(["Be brief.", "Hello!"]);
});

test("items that were added by hand are named by their ids in other requests, as long as they are there", async () => {
  const { id } = await box.client.conversations.create({ items: begun });
  const [brief, hello, answer] = await itemsOf(id, { order: "asc" });
  const named = [brief, hello, answer].map((item) => ({ type: "item_reference" as const, id: item?.id ?? "" }));
  const more = { role: "user" as const, content: asked.input };
  const referred = await box.client.responses.create({ ...asked, input: [...named, more] });
  const repeated = await box.client.responses.create({ ...asked, input: [...begun, more] });
  expect(referred.output_text).toBe(repeated.output_text);
  expect(referred.usage?.input_tokens).toBe(repeated.usage?.input_tokens ?? 0);
  const refused = { status: 404, param: "input[0].id" };
  const other = await box.stranger();
  await expect(sent(other.responses.create({ ...asked, input: named }))).rejects.toMatchObject(refused);
  await box.client.conversations.delete(id);
  await expect(sent(box.client.responses.create({ ...asked, input: named }))).rejects.toMatchObject(refused);
});

test("an item of a response that was deleted is named as one of its conversation, which keeps it", async () => {
  const { id } = await box.client.conversations.create();
  const first = await box.client.responses.create({ ...asked, conversation: id });
  await itemsOf(id);
  await sent(box.client.responses.delete(first.id));
  const input = [{ type: "item_reference" as const, id: first.output[0]?.id ?? "" }];
  const { input_tokens } = await box.client.responses.inputTokens.count({ model: MODEL, input });
  expect(input_tokens).toBeGreaterThan(0);
});

test("a stored response tells its conversation, however it ended, as long as that is there", async () => {
  const { id } = await box.client.conversations.create();
  const told = async (response: string) => (await box.client.responses.retrieve(response)).conversation;
  const first = await box.client.responses.create({ ...asked, conversation: id });
  expect(await told(first.id)).toEqual({ id });
  await itemsOf(id);
  expect(await told(first.id)).toEqual({ id });
  for await (const event of await box.client.responses.retrieve(first.id, { stream: true }))
    if (event.type === "response.completed") expect(event.response.conversation).toEqual({ id });
  const left = { ...asked, max_output_tokens: 900, conversation: id, background: true };
  const running = await box.client.responses.create(left);
  expect((await box.client.responses.cancel(running.id)).conversation).toEqual({ id });
  await itemsOf(id);
  expect(await told(running.id)).toEqual({ id });
  expect(await told((await box.client.responses.create(asked)).id)).toBeNull();
  await box.client.conversations.delete(id);
  expect(await told(first.id)).toBeNull();
});

test("a conversation is its key's own", async () => {
  const { id } = await box.client.conversations.create({ items: begun });
  const other = await box.stranger();
  for (const ask of [
    () => other.conversations.retrieve(id),
    () => other.conversations.delete(id),
    () => other.conversations.items.list(id),
    () => other.responses.create({ ...asked, conversation: id }),
  ])
    await expect(sent<unknown>(ask())).rejects.toMatchObject({ status: 404 });
  expect(await itemsOf(id)).toHaveLength(3);
});

test("one answer is made at a time; what fails or is cancelled is no part of it", async () => {
  const { id } = await box.client.conversations.create({ items: begun });
  const long = sent(box.client.responses.create({ ...asked, input: "circle ".repeat(2000), conversation: id }));
  await expect(long).rejects.toMatchObject({ code: "context_length_exceeded" });
  const nobody = sent(box.client.responses.create({ ...asked, model: "nobody/nothing", conversation: id }));
  await expect(nobody).rejects.toMatchObject({ code: "model_not_found" });
  // The model is so small that an answer may be over when the next question comes; it is not so time after time.
  for (let tries = 1; ; tries++) {
    const running = await box.client.responses.create({
      ...asked,
      max_output_tokens: 900,
      conversation: id,
      background: true,
    });
    const refused = await sent(box.client.responses.create({ ...asked, conversation: id })).catch((error) => error);
    const { status } = await box.client.responses.cancel(running.id);
    if (status === "cancelled" && refused.status !== undefined) {
      expect(refused).toMatchObject({ status: 429, code: "conversation_locked" });
      break;
    }
    if (tries === 30) throw new Error("none of 30 answers was cancelled before its end");
  }
  const items = await itemsOf(id, { order: "asc" });
  await box.client.responses.create({ ...asked, conversation: id });
  expect(await itemsOf(id)).toHaveLength(items.length + 2);
});

test("what is wrong is said by its field", async () => {
  const { id } = await box.client.conversations.create();
  const response = (more: object) => sent(box.client.responses.create({ ...asked, conversation: id, ...more }));
  await expect(response({ store: false })).rejects.toMatchObject({ status: 400, param: "store" });
  await expect(response({ previous_response_id: "resp_1" })).rejects.toMatchObject({ param: "previous_response_id" });
  await expect(response({ conversation: "conv_nothing" })).rejects.toMatchObject({ status: 404 });
  const items = (given: object[]) => sent(box.client.conversations.items.create(id, { items: given as never }));
  await expect(items([])).rejects.toMatchObject({ status: 400, param: "items" });
  await expect(items(Array(21).fill(begun[1]))).rejects.toMatchObject({ status: 400, param: "items" });
  await expect(items([{ type: "web_search_call" }])).rejects.toMatchObject({ status: 400 });
  const marks = Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`name${at}`, "x"]));
  const marked = sent(box.client.conversations.create({ metadata: marks }));
  await expect(marked).rejects.toMatchObject({ status: 400, param: "metadata" });
  const page = sent(box.client.conversations.items.list(id, { after: "msg_nothing" }));
  await expect(page).rejects.toMatchObject({ status: 400, param: "after" });
  await expect(sent(box.client.post(`/conversations/${id}/nothing`))).rejects.toMatchObject({ status: 404 });
});
