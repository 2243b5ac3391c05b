// What was said in a conversation so far, with the turns that are over; whose it is, and whether one is still being made.
import type { Conversation, Said, Turn } from "../../../control/conversations/conversations.ts";
import { ForecourtError } from "../../../core/errors.ts";
import type { ChatOutput } from "../../../engine/generation/chat-fields.ts";
import type { Call } from "../../fal/call.ts";
import { inputItemsOf } from "../responses/input-items.ts";
import { itemsOf } from "../responses/items.ts";
import type { OpenAiParts } from "../runs.ts";

/** One of the caller's. Throws `not_found`. */
export function foundConversation({ conversations }: OpenAiParts, { caller }: Call, id: string): Conversation {
  const found = conversations.find(id);
  if (found && (found.key === caller.id || caller.scope === "admin")) return found;
  throw new ForecourtError("not_found", `Conversation with id '${id.slice(0, 100)}' not found.`);
}

/** `isOpen`: an answer is being made that is to follow. */
export function saidIn(parts: OpenAiParts, conversation: Conversation): { items: Said[]; isOpen: boolean } {
  const isOpen = settleTurns(parts, conversation);
  return { items: parts.conversations.items(conversation.id), isOpen };
}

/** Those that are over take their place. True: one is not. */
export function settleTurns(parts: OpenAiParts, { id }: Conversation): boolean {
  let isOpen = false;
  for (const turn of parts.conversations.turns(id)) {
    const items = saidInTurn(parts, turn);
    if (items) parts.conversations.settle(id, turn, items);
    else isOpen = true;
  }
  return isOpen;
}

/** Undefined while it is made; nothing of one that failed, was cancelled or is forgotten. */
function saidInTurn({ jobs }: OpenAiParts, { job: id, asked, isBeginning }: Turn): Said[] | undefined {
  const job = jobs.find(id);
  if (isBeginning || job?.status === "queued" || job?.status === "running") return undefined;
  if (job?.status !== "done" || job.isForgotten) return [];
  return [...inputItemsOf(job, asked), ...itemsOf(job.output as ChatOutput, job.id)]; // of a chat pipeline, which began it
}

/** Throws while another answer is made, as OpenAI does: who asks at once would not read it. */
export function saidBefore(parts: OpenAiParts, conversation: Conversation): Said[] {
  const { items, isOpen } = saidIn(parts, conversation);
  if (!isOpen) return items;
  const message =
    "Another response is being made in this conversation. Wait for its end, or begin a conversation of its own";
  throw new ForecourtError("concurrency_limited", message, {
    details: { code: "conversation_locked", retryAfterSeconds: 1 },
  });
}
