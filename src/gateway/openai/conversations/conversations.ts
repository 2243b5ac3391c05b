// /v1/conversations: made, told, marked, deleted; their items listed, added, told and deleted one by one.
import type { Conversation, Said } from "../../../control/conversations/conversations.ts";
import { ForecourtError } from "../../../core/errors.ts";
import type { Call } from "../../fal/call.ts";
import { readJson } from "../../read-json.ts";
import { requireMethod } from "../../require-method.ts";
import { itemsOfMessage, listOf, pageOfItems } from "../responses/input-items.ts";
import { messagesOf } from "../responses/translate.ts";
import type { OpenAiParts } from "../runs.ts";
import { type GivenItems, readConversationBody, readItemsBody, readMetadataBody } from "./body.ts";
import { foundConversation, saidIn, settleTurns } from "./said-in.ts";

type Within = { parts: OpenAiParts; call: Call; conversation: Conversation };

/** Everything below `/v1/conversations`; `rest` is what follows: an id, and what is asked of it. */
export async function conversations(parts: OpenAiParts, call: Call, rest: readonly string[]): Promise<Response> {
  const [id, act, item, ...more] = rest;
  const { method } = call.request;
  if (id === undefined) {
    requireMethod(call.request, ["POST"], "Use POST.");
    return await createConversation(parts, call);
  }
  if (more.length > 0 || (act !== undefined && act !== "items")) throw unknownUrl(`.../${act}`);
  const wanted =
    act === undefined ? ["GET", "POST", "DELETE"] : item === undefined ? ["GET", "POST"] : ["GET", "DELETE"];
  requireMethod(call.request, wanted, `Use ${wanted.join(" or ")}.`);
  const within = { parts, call, conversation: foundConversation(parts, call, id) };
  if (act === undefined) return await ofConversation[method as keyof typeof ofConversation](within);
  if (item === undefined) return method === "GET" ? listItems(within) : await addItems(within);
  return await ofItem[method as keyof typeof ofItem](within, item);
}

const unknownUrl = (rest: string) =>
  new ForecourtError("not_found", `Unknown request URL: /v1/conversations/${rest}`.slice(0, 300));

async function createConversation({ conversations: all, bodyLimit }: OpenAiParts, call: Call): Promise<Response> {
  const { items = [], metadata = {} } = readConversationBody(await readJson(call.request, bodyLimit));
  return told(await all.create({ key: call.caller.id, metadata, items: madeItems(items) }));
}

const told = ({ id, createdAt, metadata }: Conversation) =>
  Response.json({ id, object: "conversation", created_at: Math.floor(createdAt / 1000), metadata });

const ofConversation = {
  GET: async ({ conversation }: Within) => told(conversation),
  async POST({ parts, call, conversation }: Within) {
    const { metadata } = readMetadataBody(await readJson(call.request, parts.bodyLimit));
    const marked = { ...conversation, metadata: metadata ?? {} };
    await parts.conversations.update(marked.id, marked.metadata);
    return told(marked);
  },
  /** Answers that are being made in it go on, as responses of their own. */
  async DELETE({ parts, conversation: { id } }: Within) {
    await parts.conversations.remove(id);
    return Response.json({ id, object: "conversation.deleted", deleted: true });
  },
} as const;

/** Each with an id of its own. Thoughts, which models are not shown again, are left out. */
const madeItems = (given: GivenItems): Said[] =>
  given.flatMap((item) => messagesOf([item]).flatMap((message) => itemsOfMessage(message, Bun.randomUUIDv7())));

const listItems = ({ parts, call, conversation }: Within): Response =>
  Response.json(pageOfItems(saidIn(parts, conversation).items, call.query, "conversation"));

async function addItems({ parts, call, conversation }: Within): Promise<Response> {
  const { items } = readItemsBody(await readJson(call.request, parts.bodyLimit));
  const made = madeItems(items);
  // Turns that are over come before what is added after them.
  settleTurns(parts, conversation);
  await parts.conversations.add(conversation.id, made);
  return Response.json(listOf(made));
}

const ofItem = {
  GET: async (within: Within, id: string) => Response.json(foundItem(within, id)),
  async DELETE(within: Within, id: string) {
    const { parts, conversation } = within;
    await parts.conversations.removeItem(conversation.id, foundItem(within, id).id);
    return told(conversation);
  },
} as const;

function foundItem({ parts, conversation }: Within, id: string): Said {
  settleTurns(parts, conversation);
  const found = parts.conversations.findItem(id);
  if (found?.conversation === conversation.id) return found.item;
  throw new ForecourtError("not_found", `Item with id '${id.slice(0, 100)}' not found in this conversation.`);
}
