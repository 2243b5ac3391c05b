// The events of a streamed response: each item is announced, grows, is closed and told whole; the last event tells all.
import type { Job } from "../../../core/job.ts";
import type { ChatOutput, ChatPartial } from "../../../engine/generation/chat-fields.ts";
import { openAiFailureBody } from "../failures.ts";
import { createNews } from "../news.ts";
import { abandonAll, answersOf, type OpenAiParts } from "../runs.ts";
import { createGrowingItems, type Event } from "./growing-items.ts";
import { type Repeated, responseId, responseOf } from "./response.ts";

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
  const items = createGrowingItems(job.id);
  for await (const step of answersOf<ChatPartial, ChatOutput>(jobs, job, signal, isLeft)) {
    if (news.isFirst) {
      const response = { ...responseOf(job, repeated), status: "in_progress" };
      yield { type: "response.created", response };
      yield { type: "response.in_progress", response };
    }
    const { text, reasoning, logprobs, calls } = news.of("output" in step ? step.output : step.partial);
    yield* items.think(reasoning);
    yield* items.say(text, logprobs);
    for (const call of calls) yield* items.call(call);
    if (!("output" in step)) continue;
    yield* items.end(step.output);
    const done = jobs.find(job.id);
    if (!done) throw new Error(`Job ${job.id} has ended and is not there: ${responseId(job)}`);
    const response = responseOf(done, repeated);
    yield { type: `response.${response.status}`, response };
  }
}
