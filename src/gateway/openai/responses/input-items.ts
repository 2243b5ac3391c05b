// What a response was asked, as items; lists of items in pages.
import { ForecourtError } from "../../../core/errors.ts";
import type { Job } from "../../../core/job.ts";
import { choice, parse, Type } from "../../../core/schema.ts";
import type { ChatInput, ChatMessage } from "../../../engine/generation/chat-fields.ts";
import type { Call } from "../../fal/call.ts";
import type { OpenAiParts } from "../runs.ts";
import { callItem } from "./items.ts";
import { storedJob } from "./stored.ts";

export const inputItemsQuery = Type.Object({
  limit: Type.Integer({ default: 20, minimum: 1, maximum: 100 }),
  order: choice(["asc", "desc"], { default: "desc", description: "desc: the last item first" }),
  after: Type.Optional(Type.String({ description: "Id of the item that the page before ended with" })),
});

type Item = { id: string; type: string; [field: string]: unknown };

export const listInputItems = (parts: OpenAiParts, call: Call, id: string): Response =>
  Response.json(pageOfItems(inputItemsOf(storedJob(parts, call, id)), call.query, "response"));

/** `of`: for errors. */
export function pageOfItems<Item extends { id: string }>(all: readonly Item[], asked: URLSearchParams, of: string) {
  const { limit, ...given } = Object.fromEntries(asked);
  const query = parse(inputItemsQuery, { ...given, ...(limit !== undefined && { limit: Number(limit) }) });
  const ordered = query.order === "asc" ? all : all.toReversed();
  const from = query.after === undefined ? 0 : ordered.findIndex((item) => item.id === query.after) + 1;
  if (query.after !== undefined && from === 0) throw noItem(query.after, of);
  const data = ordered.slice(from, from + query.limit);
  return listOf(data, from + data.length < ordered.length);
}

export const listOf = <Item extends { id: string }>(data: readonly Item[], has_more = false) => ({
  ...{ object: "list", data, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null },
  has_more,
});

/**
 * The whole conversation, with what an earlier response brought along, or its `latest` messages; instructions are none of
 * its items.
 */
export function inputItemsOf({ id, input: given }: Job, latest?: number): Item[] {
  const { messages, prompt = "" } = given as ChatInput; // of a chat pipeline, which storedJob saw to
  const said = messages ?? [{ role: "user" as const, content: prompt }];
  const from = latest === undefined ? 0 : said.length - latest;
  return said.slice(from).flatMap((message, at) => itemsOfMessage(message, `${id}_${from + at}`));
}

export function itemsOfMessage(
  { role, content, tool_calls: calls = [], tool_call_id }: ChatMessage,
  place: string,
): Item[] {
  const status = "completed" as const;
  const said = contentOf(content, role === "assistant" ? "output_text" : "input_text");
  if (role === "tool")
    return [{ id: `fco_${place}`, type: "function_call_output", status, call_id: tool_call_id ?? "", output: said }];
  const message = { id: `msg_${place}`, type: "message", status, role, content: said };
  return [
    ...(said.length > 0 ? [message] : []),
    ...calls.map((call, nth) => callItem(call, `${place}_${nth}`, status)),
  ];
}

function contentOf(content: ChatMessage["content"], type: "input_text" | "output_text") {
  if (!content) return [];
  const more = type === "output_text" ? { annotations: [] } : {};
  if (typeof content === "string") return [{ type, text: content, ...more }];
  return content.map((part) =>
    part.type === "text"
      ? { type, text: part.text, ...more }
      : { type: "input_image", image_url: part.image_url.url, detail: part.image_url.detail ?? "auto" },
  );
}

function noItem(after: string, of: string): ForecourtError {
  const msg = `This ${of} has no item '${after.slice(0, 100)}'`;
  return new ForecourtError("invalid_input", msg, {
    problems: [{ loc: ["query", "after"], msg, type: "value_error" }],
  });
}
