// Stored responses by OpenAI's own JavaScript client, unmodified: their input, their events again, their end by deletion.
import { expect, test } from "bun:test";
import type OpenAI from "openai";
import { proved } from "../../support/conformance.ts";
import { asked, languageBox, sent } from "./language-box.ts";

const box = languageBox();
type Listed = { id: string; type: string; role?: string; content?: { text: string }[]; call_id?: string };
const itemsOf = async (id: string, query: OpenAI.Responses.InputItemListParams = {}) => {
  const items: Listed[] = [];
  for await (const item of box.client.responses.inputItems.list(id, query)) items.push(item as Listed); // its union has them all
  return items;
};
const textsOf = (items: Listed[]) => items.map(({ type, content }) => content?.[0]?.text ?? type);

test("what was asked is listed, the last first, also what an earlier response brought along, in pages", async () => {
  const first = await box.client.responses.create({ ...asked, instructions: "Be brief." });
  expect(textsOf(await itemsOf(first.id))).toEqual([asked.input]);
  const second = await box.client.responses.create({
    ...asked,
    input: "And its size?",
    previous_response_id: first.id,
  });
  const all = ["And its size?", first.output_text, asked.input];
  expect(textsOf(await itemsOf(second.id))).toEqual(all);
  // The client asks for page after page.
  expect(textsOf(await itemsOf(second.id, { limit: 1, order: "asc" }))).toEqual(all.toReversed());
  const [, answer] = await itemsOf(second.id);
  expect(answer).toMatchObject({ type: "message", role: "assistant", content: [{ type: "output_text" }] });
  await expect(sent(box.client.responses.inputItems.list(second.id, { after: "msg_nothing" }))).rejects.toMatchObject({
    status: 400,
    param: "after",
  });
  await expect(sent(box.client.responses.inputItems.list(second.id, { limit: 1000 }))).rejects.toMatchObject({
    param: "limit",
  });
});

test("calls and what they gave are items of their own", async () => {
  const input: OpenAI.Responses.ResponseInput = [
    { role: "user", content: [{ type: "input_text", text: "Find it." }] },
    { type: "function_call", call_id: "call_1", name: "find", arguments: '{"shape":"star"}' },
    { type: "function_call_output", call_id: "call_1", output: "red" },
  ];
  const { id } = await box.client.responses.create({ ...asked, input });
  const items = await itemsOf(id, { order: "asc" });
  expect(items.map(({ type }) => type)).toEqual(["message", "function_call", "function_call_output"]);
  expect(items.slice(1).map(({ call_id }) => call_id)).toEqual(["call_1", "call_1"]);
});

test("the events of a stored response tell it again, and end with the same words", async () => {
  const { id, output_text } = await box.client.responses.create(asked);
  let [text, last] = ["", ""];
  for await (const event of await box.client.responses.retrieve(id, { stream: true })) {
    if (event.type === "response.output_text.delta") text += event.delta;
    last = event.type;
  }
  expect([text, last]).toEqual([output_text, "response.incomplete"]);
  const late = sent(box.client.responses.retrieve(id, { stream: true, starting_after: 3 }));
  await expect(late).rejects.toMatchObject({ status: 400, param: "starting_after" });
});

test("a response in the background goes on when the reader of its stream leaves", async () => {
  const stream = await box.client.responses.create({
    ...asked,
    max_output_tokens: 300,
    background: true,
    stream: true,
  });
  let id = "";
  for await (const event of stream) {
    if (event.type !== "response.created") continue;
    id = event.response.id;
    expect(event.response.background).toBe(true);
    break; // which aborts it
  }
  let whole: OpenAI.Responses.Response | undefined;
  for await (const event of await box.client.responses.retrieve(id, { stream: true }))
    if (event.type === "response.incomplete") whole = event.response;
  expect(whole?.usage?.output_tokens).toBe(300);
  expect(whole?.output).toEqual((await box.client.responses.retrieve(id)).output);
});

test("a deleted response is gone for good: not shown, not gone on from; a running one is ended", async () => {
  const { id } = await box.client.responses.create(asked);
  await box.client.responses.delete(id);
  await expect(sent(box.client.responses.retrieve(id))).rejects.toMatchObject({ status: 404 });
  await expect(sent(box.client.responses.delete(id))).rejects.toMatchObject({ status: 404 });
  await expect(sent(box.client.responses.inputItems.list(id))).rejects.toMatchObject({ status: 404 });
  const goneOn = sent(box.client.responses.create({ ...asked, previous_response_id: id }));
  await expect(goneOn).rejects.toMatchObject({ code: "previous_response_not_found" });
  const long = await box.client.responses.create({ ...asked, max_output_tokens: 900, background: true });
  await box.client.responses.delete(long.id);
  await expect(sent(box.client.responses.retrieve(long.id))).rejects.toMatchObject({ status: 404 });
  proved("openai-js", "responses-stored");
});

test("items are named by their ids instead of being repeated, as Vercel's AI SDK does, and mean the same", async () => {
  const first = await box.client.responses.create(asked);
  const question = { role: "user" as const, content: asked.input };
  const more = { role: "user" as const, content: "And its size?" };
  const named = (id = "") => ({ type: "item_reference" as const, id });
  const goesOn = (input: OpenAI.Responses.ResponseInput) => box.client.responses.create({ ...asked, input });
  const repeated = await goesOn([question, { role: "assistant", content: first.output_text }, more]);
  const [said] = await itemsOf(first.id);
  const referred = await goesOn([named(said?.id), named(first.output[0]?.id), more]);
  expect(referred.output_text).toBe(repeated.output_text);
  expect(referred.usage?.input_tokens).toBe(repeated.usage?.input_tokens ?? 0);
  expect(textsOf(await itemsOf(referred.id, { order: "asc" }))).toEqual([
    asked.input,
    first.output_text,
    "And its size?",
  ]);
});

test("calls are named too, those that were made and those that were asked about", async () => {
  const parameters = { type: "object", properties: { shape: { enum: ["circle", "star"] } }, required: ["shape"] };
  const tools = [{ type: "function" as const, name: "find", parameters, strict: true }];
  const long = { ...asked, max_output_tokens: 200 };
  const { output } = await box.client.responses.create({ ...long, tools, tool_choice: "required" });
  const call = output.find((item) => item.type === "function_call");
  const answer = { type: "function_call_output" as const, call_id: call?.call_id ?? "", output: "red" };
  const question = { role: "user" as const, content: asked.input };
  const input = [question, { type: "item_reference" as const, id: call?.id ?? "" }, answer];
  const { id } = await box.client.responses.create({ ...asked, input });
  const [, named, answered] = await itemsOf(id, { order: "asc" });
  expect(named).toMatchObject({
    type: "function_call",
    call_id: call?.call_id,
    name: "find",
    arguments: call?.arguments,
  });
  const again = [named, answered].map((item) => ({ type: "item_reference" as const, id: item?.id ?? "" }));
  const third = await box.client.responses.create({ ...asked, input: [question, ...again] });
  expect(await itemsOf(third.id)).toMatchObject((await itemsOf(id)).map(({ id: _, ...item }) => item));
});

test("what is not kept, is another's or is named twice cannot be named", async () => {
  const refused = (id: string, times = 1) =>
    sent(box.client.responses.create({ ...asked, input: Array(times).fill({ type: "item_reference", id }) }));
  const { id, output } = await box.client.responses.create(asked);
  const message = output[0]?.id ?? "";
  await expect(refused(message, 2)).rejects.toMatchObject({ status: 400, param: "input[1].id" });
  for (const nothing of ["msg_1", "nothing", message.replace("msg_", "fc_")])
    await expect(refused(nothing)).rejects.toMatchObject({ status: 404, param: "input[0].id" });
  const other = await box.stranger();
  const input = [{ type: "item_reference" as const, id: message }];
  await expect(sent(other.responses.create({ ...asked, input }))).rejects.toMatchObject({ status: 404 });
  await sent(box.client.responses.delete(id));
  await expect(refused(message)).rejects.toMatchObject({ status: 404 });
});

test("a request names no more than 256 items", async () => {
  const input = Array.from({ length: 257 }, () => ({ role: "user" as const, content: "Hello" }));
  const { id } = await box.client.responses.create({ ...asked, input, background: true });
  const references = input.map((_, at) => ({
    type: "item_reference" as const,
    id: `${id.replace("resp_", "msg_")}_${at}`,
  }));
  await expect(sent(box.client.responses.create({ ...asked, input: references }))).rejects.toMatchObject({
    status: 400,
    param: "input[256]",
  });
});
