// Items of a streamed response: what their events tell is what the response says in the end, in OpenAI's order.
import { expect, test } from "bun:test";
import type { ChatOutput, ChatPartial } from "../../../src/engine/generation/chat-fields.ts";
import { createNews } from "../../../src/gateway/openai/news.ts";
import { createGrowingItems, type Event } from "../../../src/gateway/openai/responses/growing-items.ts";
import { itemsOf } from "../../../src/gateway/openai/responses/items.ts";

const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2, cached_tokens: 0 };
const score = (token: string) => ({ token, logprob: -1, bytes: [], top_logprobs: [] });
const call = (id: string, given: string) => ({
  id,
  type: "function" as const,
  function: { name: `f_${id}`, arguments: given },
});

function eventsOf(steps: Partial<ChatPartial>[], output: Partial<ChatOutput>) {
  const [news, items] = [createNews(), createGrowingItems("job")];
  const whole: ChatOutput = { output: "", partial: false, finish_reason: "stop", usage, ...output };
  const events: Event[] = [];
  for (const step of [...steps.map((each) => ({ output: "", partial: true as const, ...each })), whole]) {
    const { text, reasoning, logprobs, calls } = news.of(step);
    events.push(...items.think(reasoning), ...items.say(text, logprobs), ...calls.flatMap(items.call));
  }
  events.push(...items.end(whole));
  return { events, whole, types: events.map(({ type }) => type.replace("response.", "")) };
}

/** What a client makes of the events: each item as its last one tells it, and as its pieces add up. */
function builtOf(events: Event[]) {
  const done: unknown[] = [];
  const added = new Map<unknown, string>();
  for (const { type, output_index: index, ...event } of events) {
    if (type.endsWith(".delta")) added.set(index, `${added.get(index) ?? ""}${event.delta}`);
    if (type === "response.output_item.done") done[Number(index)] = event.item;
  }
  return { done, added };
}

test("arguments of calls come piece by piece, one call after the other, the message before them", () => {
  const { events, whole, types } = eventsOf(
    [
      { output: "I look. " },
      { output: "I look. ", tool_calls: [call("a", "")] },
      { output: "I look. ", tool_calls: [call("a", '{"x":')] },
      { output: "I look. ", tool_calls: [call("a", '{"x":1}'), call("b", "{")] },
    ],
    {
      output: "I look. ",
      tool_calls: [call("a", '{"x":1}'), call("b", "{}"), call("c", "{}")],
      finish_reason: "tool_calls",
    },
  );
  expect(types).toEqual([
    ...["output_item.added", "content_part.added", "output_text.delta"],
    ...["output_text.done", "content_part.done", "output_item.done"],
    ...["output_item.added", "function_call_arguments.delta", "function_call_arguments.delta"],
    ...["function_call_arguments.done", "output_item.done"],
    ...["output_item.added", "function_call_arguments.delta", "function_call_arguments.delta"],
    ...["function_call_arguments.done", "output_item.done"],
    ...["output_item.added", "function_call_arguments.delta", "function_call_arguments.done", "output_item.done"],
  ]);
  const { done, added } = builtOf(events);
  expect(done).toEqual(itemsOf(whole, "job"));
  expect([...added.values()]).toEqual(["I look. ", '{"x":1}', "{}", "{}"]);
  expect(events.filter(({ type }) => type === "response.output_item.added").map(({ item }) => item)).toMatchObject([
    { type: "message", status: "in_progress", content: [] },
    { type: "function_call", status: "in_progress", arguments: "", call_id: "a", name: "f_a" },
    { type: "function_call", status: "in_progress", arguments: "", call_id: "b" },
    { type: "function_call", status: "in_progress", arguments: "", call_id: "c" },
  ]);
});

test("a call that breaks off is told as far as it came, and is incomplete", () => {
  const calls = [call("a", "{}"), call("b", '{"x":')];
  const { events, whole } = eventsOf([{ tool_calls: calls.slice(0, 1) }], {
    tool_calls: calls,
    finish_reason: "length",
  });
  const { done } = builtOf(events);
  expect(done).toEqual(itemsOf(whole, "job"));
  expect(done).toMatchObject([{ status: "completed" }, { status: "incomplete", arguments: '{"x":' }]);
});

test("thoughts come before what is said; log probabilities open no message where there is none", () => {
  const logprobs = [score("a"), score("b")];
  const thinking = eventsOf(
    [
      { reasoning: "Hm", logprobs: [score("a")] },
      { reasoning: "Hm", output: "Yes" },
    ],
    { reasoning: "Hm", output: "Yes.", logprobs },
  );
  expect(builtOf(thinking.events).done).toEqual(itemsOf(thinking.whole, "job"));
  expect(thinking.types.filter((type) => type === "output_item.added")).toHaveLength(2);
  const calling = eventsOf([{ logprobs: [score("a")] }], { tool_calls: [call("a", "{}")], logprobs });
  expect(builtOf(calling.events).done).toEqual(itemsOf(calling.whole, "job"));
});

test("an answer of nothing is an empty message", () => {
  for (const logprobs of [undefined, [score("")]]) {
    const { events, whole } = eventsOf([], { ...(logprobs && { logprobs }) });
    expect(builtOf(events).done).toEqual(itemsOf(whole, "job"));
  }
});
