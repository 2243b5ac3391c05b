// What a text is to look like, as OpenAI's two APIs for language models ask for it.
import { type Static, Type } from "../../core/schema.ts";
import type { ChatInput } from "../../engine/generation/chat-fields.ts";
import { nullable, present } from "./nullable.ts";

export const PLAIN_FORMATS = [
  Type.Object({ type: Type.Literal("text") }),
  Type.Object({ type: Type.Literal("json_object") }),
] as const;

export const schemaFields = {
  name: Type.String(),
  description: nullable(Type.String()),
  schema: nullable(Type.Record(Type.String(), Type.Unknown())),
  strict: nullable(Type.Boolean()),
};

const schemaFormat = Type.Object({ type: Type.Literal("json_schema"), ...schemaFields });
type Format = { type: "text" } | { type: "json_object" } | Static<typeof schemaFormat>;

export function formatOf(format: Format): NonNullable<ChatInput["response_format"]> {
  if (format.type !== "json_schema") return format;
  const { type, name, ...rest } = format;
  return { type, json_schema: { name, ...present(rest) } };
}
