// The bodies of requests about conversations.
import { parse, type Static, Type } from "../../../core/schema.ts";
import { told } from "../responses/body.ts";

/** OpenAI's own bounds. */
const MOST_ITEMS = 20;
export const metadata = Type.Record(Type.String(), Type.String({ maxLength: 512 }), {
  maxProperties: 16,
  description: "Marks of your own, by name",
});
const items = Type.Array(Type.Union(told), { maxItems: MOST_ITEMS, description: "What was said" });

export const conversationBody = Type.Object({ items: Type.Optional(items), metadata: Type.Optional(metadata) });
export const metadataBody = Type.Object({ metadata: Type.Union([metadata, Type.Null()]) });
export const itemsBody = Type.Object({ items: Type.Array(Type.Union(told), { minItems: 1, maxItems: MOST_ITEMS }) });

export type GivenItems = Static<typeof items>;

export const readConversationBody = (body: unknown) => parse(conversationBody, body);
export const readMetadataBody = (body: unknown) => parse(metadataBody, body);
export const readItemsBody = (body: unknown) => parse(itemsBody, body);
