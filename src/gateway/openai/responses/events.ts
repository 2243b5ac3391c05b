// The events of a streamed response: each item is announced, grows, is closed and told whole; the last event tells all.
import type { Job } from "../../../core/job.ts";
import type { ChatOutput, ChatPartial } from "../../../engine/generation/chat-fields.ts";
import { openAiFailureBody } from "../failures.ts";
import { createNews } from "../news.ts";
import { abandonAll, answersOf, type OpenAiParts } from "../runs.ts";
import { callItem, callStatus, type GrowingKind, growing, type Status, saysSomething } from "./items.ts";
import { type Repeated, responseId, responseOf } from "./response.ts";

type Event = { type: string; [field: string]: unknown };
type Logprobs = NonNullable<ChatOutput["logprobs"]>;
type Streamed = {
  job: Job;
  repeated: Repeated;
  /** It goes on when its reader leaves. */
  isLeft: boolean;
  signal: AbortSignal;
};

/** Throws what fails before the first event; later failures are events. */
export async function* responseEvents(parts: OpenAiParts, streamed: Streamed): AsyncGenerator<Event> {
  const { job, signal } = streamed;
  let number = 0;
  const numbered = (event: Event) => ({ ...event, sequence_number: number++ });
  let isOver = false;
  try {
    for await (const event of told(parts, streamed)) yield numbered(event);
    isOver = true;
  } catch (error) {
    if (number === 0 || signal.aborted) throw error;
    isOver = true;
    const { code, message } = openAiFailureBody(parts.report(error, job.id)).error;
    const response = { ...responseOf(job, streamed.repeated), status: "failed", error: { code, message } };
    yield numbered({ type: "response.failed", response });
  } finally {
    if (!isOver && !streamed.isLeft) abandonAll(parts.jobs, [job]);
  }
}

async function* told({ jobs }: OpenAiParts, { job, repeated, isLeft, signal }: Streamed): AsyncGenerator<Event> {
  const news = createNews();
  const items = createItems(job.id);
  for await (const step of answersOf<ChatPartial, ChatOutput>(jobs, job, signal, isLeft)) {
    if (news.isFirst) {
      const response = { ...responseOf(job, repeated), status: "in_progress" };
      yield { type: "response.created", response };
      yield { type: "response.in_progress", response };
    }
    const { text, reasoning, logprobs } = news.of("output" in step ? step.output : step.partial);
    if (reasoning !== "") yield* items.grow("reasoning", reasoning);
    if (text !== "" || logprobs.length > 0) yield* items.grow("message", text, logprobs);
    if (!("output" in step)) continue;
    yield* items.end(step.output);
    const done = jobs.find(job.id);
    if (!done) throw new Error(`Job ${job.id} has ended and is not there: ${responseId(job)}`);
    const response = responseOf(done, repeated);
    yield { type: `response.${response.status}`, response };
  }
}

/** At most one item of each kind grows, one after the other. */
function createItems(job: string) {
  let index = -1;
  let open: { kind: GrowingKind; text: string; logprobs: Logprobs } | undefined;
  const place = (kind: GrowingKind) => ({ item_id: growing[kind].id(job), output_index: index, content_index: 0 });

  function* begin(kind: GrowingKind): Generator<Event> {
    yield* close("completed");
    index++;
    open = { kind, text: "", logprobs: [] };
    const { id, item, part } = growing[kind];
    yield { type: "response.output_item.added", output_index: index, item: item(id(job), "in_progress", []) };
    yield { type: "response.content_part.added", ...place(kind), part: part("") };
  }

  function* close(status: "completed" | "incomplete"): Generator<Event> {
    if (!open) return;
    const { kind, text, logprobs } = open;
    const { id, item, part, done } = growing[kind];
    const whole = part(text, logprobs);
    yield { type: done, ...place(kind), text, ...(kind === "message" && { logprobs }) };
    yield { type: "response.content_part.done", ...place(kind), part: whole };
    yield { type: "response.output_item.done", output_index: index, item: item(id(job), status, [whole]) };
    open = undefined;
  }

  function* grow(kind: GrowingKind, delta: string, logprobs: Logprobs = []): Generator<Event> {
    if (open?.kind !== kind) yield* begin(kind);
    if (!open) return;
    open.text += delta;
    open.logprobs.push(...logprobs);
    yield { type: growing[kind].delta, ...place(kind), delta, ...(kind === "message" && { logprobs }) };
  }

  function* call(called: NonNullable<ChatOutput["tool_calls"]>[number], at: number, status: Status): Generator<Event> {
    index++;
    const item = callItem(called, `${job}_${at}`, status);
    const place = { item_id: item.id, output_index: index };
    const begun = { ...item, arguments: "", status: "in_progress" };
    yield { type: "response.output_item.added", output_index: index, item: begun };
    yield { type: "response.function_call_arguments.delta", ...place, delta: item.arguments };
    yield { type: "response.function_call_arguments.done", ...place, name: item.name, arguments: item.arguments };
    yield { type: "response.output_item.done", output_index: index, item };
  }

  return {
    grow,
    *end(output: ChatOutput): Generator<Event> {
      if (open?.kind !== "message" && saysSomething(output)) yield* begin("message");
      yield* close(output.finish_reason === "length" ? "incomplete" : "completed");
      for (const [at, called] of (output.tool_calls ?? []).entries()) yield* call(called, at, callStatus(output, at));
    },
  };
}
