// What is new in a language model's answer: its steps tell all of it each time, a chunk only what follows the last one.
import type { Jobs } from "../../control/jobs/jobs.ts";
import type { Job } from "../../core/job.ts";
import type { ChatOutput, ChatPartial } from "../../engine/generation/chat-fields.ts";
import { mergeSteps } from "../../engine/generation/merge-steps.ts";
import { abandonAll, answersOf } from "./runs.ts";

export type Seen = Omit<ChatPartial, "partial">;
type ToolCall = NonNullable<ChatOutput["tool_calls"]>[number];
/** A call with all that is known of it, or what follows of its arguments. */
export type CallNews = { index: number } & (ToolCall | { function: { arguments: string } });
type Told = {
  text: string;
  reasoning: string;
  calls: CallNews[];
  logprobs: NonNullable<ChatOutput["logprobs"]>;
};

export function createNews() {
  let [text, reasoning, scored, isFirst] = [0, 0, 0, true];
  /** Of each call, characters of its arguments. */
  const called: number[] = [];
  const callNews = (call: ToolCall, index: number): CallNews[] => {
    const told = called[index];
    const given = call.function.arguments;
    called[index] = Math.max(told ?? 0, given.length);
    if (told === undefined) return [{ index, ...call }];
    return told < given.length ? [{ index, function: { arguments: given.slice(told) } }] : [];
  };
  return {
    get isFirst() {
      return isFirst;
    },
    /** Characters told so far. */
    get length() {
      return text;
    },
    of(seen: Seen): Told {
      const news = {
        text: seen.output.slice(text),
        reasoning: seen.reasoning?.slice(reasoning) ?? "",
        calls: (seen.tool_calls ?? []).flatMap(callNews),
        logprobs: scoredSince(seen, scored),
      };
      isFirst = false;
      // A run that begins anew says less than was told: what was told stays told.
      text = Math.max(text, seen.output.length);
      reasoning = Math.max(reasoning, seen.reasoning?.length ?? 0);
      scored += news.logprobs.length;
      return news;
    },
  };
}

/** After a step that was not seen nothing more is known until the whole answer tells them all. */
const scoredSince = ({ logprobs = [], logprobs_from: from = 0 }: Seen, told: number) =>
  from > told ? [] : logprobs.slice(told - from);

export type AnswerNews = Told & {
  /** Of the job among those that were begun. */
  index: number;
  /** Nothing was told of this one before. */
  isFirst: boolean;
  /** Characters of the answer before `text`. */
  at: number;
  /** The whole answer, with its last news. */
  output?: ChatOutput;
};

/** What several jobs of a language model say, as it comes. Throws the failure of one; then, or when nobody reads on, all end. */
export async function* newsOf(jobs: Jobs, begun: Job[], signal: AbortSignal): AsyncGenerator<AnswerNews> {
  const answers = begun.map((job) => ({
    news: createNews(),
    steps: answersOf<ChatPartial, ChatOutput>(jobs, job, signal),
  }));
  let open = begun.length;
  try {
    for await (const { index, step } of mergeSteps(answers.map(({ steps }) => steps))) {
      const news = answers[index]?.news;
      if (!news) continue;
      const { isFirst, length: at } = news;
      if ("partial" in step) yield { index, isFirst, at, ...news.of(step.partial) };
      else {
        open--;
        yield { index, isFirst, at, ...news.of(step.output), output: step.output };
      }
    }
  } finally {
    if (open > 0) abandonAll(jobs, begun);
  }
}
