// Items of a response as they grow: each is announced, told piece by piece, closed and told whole before the next one begins.
import type { ChatOutput } from "../../../engine/generation/chat-fields.ts";
import type { CallNews } from "../news.ts";
import { callItem, callStatus, type GrowingKind, growing, type Status, saysSomething } from "./items.ts";

export type Event = { type: string; [field: string]: unknown };
type Logprobs = NonNullable<ChatOutput["logprobs"]>;
type ToolCall = NonNullable<ChatOutput["tool_calls"]>[number];

type Item = {
  kind: GrowingKind | "call";
  begin: Event[];
  grow(delta: string, logprobs?: Logprobs): Event[];
  close(status: Status): Event[];
};

/** At most one grows at a time: thoughts, then a message, then calls. */
export function createGrowingItems(job: string) {
  let begun = 0;
  let open: Item | undefined;
  /** Of tokens that are none of a text so far. */
  let unsaid: Logprobs = [];

  const close = (status: Status) => open?.close(status) ?? [];
  function begin(item: Item): Event[] {
    const events = [...close("completed"), ...item.begin];
    begun++;
    open = item;
    return events;
  }
  const beginText = (kind: GrowingKind) => (open?.kind === kind ? [] : begin(textItem(kind, { job, index: begun })));
  const grow = (...given: Parameters<Item["grow"]>) => open?.grow(...given) ?? [];
  function beginMessage(text: string): Event[] {
    const scores = unsaid;
    unsaid = [];
    const events = beginText("message");
    return text === "" && scores.length === 0 ? events : [...events, ...grow(text, scores)];
  }

  return {
    think: (text: string): Event[] => (text === "" ? [] : [...beginText("reasoning"), ...grow(text)]),
    say(text: string, logprobs: Logprobs): Event[] {
      unsaid.push(...logprobs);
      const isSaid = text !== "" || (open?.kind === "message" && unsaid.length > 0);
      return isSaid && open?.kind !== "call" ? beginMessage(text) : [];
    },
    /** A call that is not known yet, or what follows of the last one's arguments. */
    call({ index: at, ...news }: CallNews): Event[] {
      const events = "id" in news ? begin(calledItem(news, { job, at, index: begun })) : [];
      return [...events, ...grow(news.function.arguments)];
    },
    end(output: ChatOutput): Event[] {
      if (open?.kind === "call") return close(callStatus(output, (output.tool_calls ?? []).length - 1));
      const said = open?.kind !== "message" && saysSomething(output) ? beginMessage("") : [];
      return [...said, ...close(output.finish_reason === "length" ? "incomplete" : "completed")];
    },
  };
}

type Place = { job: string; index: number };

function textItem(kind: GrowingKind, { job, index }: Place): Item {
  const { id, item, part, delta, done } = growing[kind];
  const place = { item_id: id(job), output_index: index, content_index: 0 };
  const scored = (logprobs: Logprobs) => kind === "message" && { logprobs };
  const scores: Logprobs = [];
  let text = "";
  return {
    kind,
    begin: [
      { type: "response.output_item.added", output_index: index, item: item(id(job), "in_progress", []) },
      { type: "response.content_part.added", ...place, part: part("") },
    ],
    grow(more, logprobs = []) {
      text += more;
      scores.push(...logprobs);
      return [{ type: delta, ...place, delta: more, ...scored(logprobs) }];
    },
    close(status) {
      const whole = part(text, scores);
      return [
        { type: done, ...place, text, ...scored(scores) },
        { type: "response.content_part.done", ...place, part: whole },
        { type: "response.output_item.done", output_index: index, item: item(id(job), status, [whole]) },
      ];
    },
  };
}

function calledItem(called: ToolCall, { job, index, at }: Place & { at: number }): Item {
  const { name } = called.function;
  const item = (given: string, status: Status) =>
    callItem({ ...called, function: { name, arguments: given } }, `${job}_${at}`, status);
  const begun = item("", "in_progress");
  const place = { item_id: begun.id, output_index: index };
  let given = "";
  return {
    kind: "call",
    begin: [{ type: "response.output_item.added", output_index: index, item: begun }],
    grow(more) {
      given += more;
      return more === "" ? [] : [{ type: "response.function_call_arguments.delta", ...place, delta: more }];
    },
    close: (status) => [
      { type: "response.function_call_arguments.done", ...place, name, arguments: given },
      { type: "response.output_item.done", output_index: index, item: item(given, status) },
    ],
  };
}
