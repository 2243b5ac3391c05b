// What a language model is given to read: what was said before, where a request goes on from that, and what it adds.
import type { Conversation } from "../../../control/conversations/conversations.ts";
import { ForecourtError } from "../../../core/errors.ts";
import { wrongField } from "../../../core/wrong-field.ts";
import type { ChatInput, ChatMessage, ChatOutput } from "../../../engine/generation/chat-fields.ts";
import type { Call } from "../../fal/call.ts";
import { foundConversation, saidBefore } from "../conversations/said-in.ts";
import type { OpenAiParts } from "../runs.ts";
import { type ResponseBody, readItem } from "./body.ts";
import { inputItems } from "./references.ts";
import { foundJob } from "./stored.ts";
import { conversationOf, messagesOf } from "./translate.ts";

type Asked = {
  [Field in "input" | "previous_response_id" | "conversation"]?: ResponseBody[Field] | undefined;
};

/** `conversation`: the one that `before` is of. */
export type SaidBefore = { before: ChatMessage[]; said: ChatMessage[]; conversation?: Conversation };

/** Throws for what is not the caller's or not kept, and while another answer is made in the conversation. */
export function saidIn(parts: OpenAiParts, call: Call, asked: Asked): SaidBefore {
  const { input = [], previous_response_id: previous, conversation: named } = asked;
  const said = messagesOf(inputItems(parts, call, input));
  if (named === undefined) return { said, before: previous === undefined ? [] : historyOf(parts, call, previous) };
  if (previous !== undefined)
    throw wrongField("previous_response_id", "A conversation is gone on from, or another response: give one of them");
  const conversation = foundConversation(parts, call, typeof named === "string" ? named : named.id);
  return { said, before: messagesOf(saidBefore(parts, conversation).map(readItem)), conversation };
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
