// What a language model is given to read: what was said before, where a request goes on from that, and what it adds.
import { ForecourtError } from "../../../core/errors.ts";
import type { ChatInput, ChatMessage, ChatOutput } from "../../../engine/generation/chat-fields.ts";
import type { Call } from "../../fal/call.ts";
import type { OpenAiParts } from "../runs.ts";
import type { ResponseBody } from "./body.ts";
import { inputItems } from "./references.ts";
import { foundJob } from "./stored.ts";
import { conversationOf, messagesOf } from "./translate.ts";

type Asked = { input?: ResponseBody["input"] | undefined; previous_response_id?: string | undefined };

export function saidIn(parts: OpenAiParts, call: Call, asked: Asked): ChatMessage[] {
  const { input = [], previous_response_id: previous } = asked;
  const history = previous === undefined ? [] : historyOf(parts, call, previous);
  return [...history, ...messagesOf(inputItems(parts, call, input))];
}

function historyOf(parts: OpenAiParts, call: Call, id: string): ChatMessage[] {
  const job = foundJob(parts, call, id);
  if (job?.status === "done") return conversationOf(job.input as ChatInput, job.output as ChatOutput); // foundJob: a chat's
  const msg = `Previous response with id '${id.slice(0, 100)}' not found: it is none of this key's, has no answer, or is not kept.`;
  throw new ForecourtError("not_found", msg, {
    problems: [{ loc: ["body", "previous_response_id"], msg, type: "value_error" }],
    details: { code: "previous_response_not_found" },
  });
}
