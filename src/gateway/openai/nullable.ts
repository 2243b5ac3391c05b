// Fields that may be null: clients that write down all of an object's fields write null for those that it has not.
import { type TSchema, Type } from "../../core/schema.ts";

export const nullable = <S extends TSchema>(schema: S) => Type.Optional(Type.Union([schema, Type.Null()]));

/** A field of OpenAI's for something that there is not here: with anything but null the request is refused, and `why` said. */
export const nothing = (why: string) => Type.Optional(Type.Null({ description: why }));

/** Of chats and responses: unread, nothing may be taken for harmless. */
export const moderation = nothing("Nothing is moderated along the way here: ask /v1/moderations before and after");

export type Present<T> = { [K in keyof T]: Exclude<T[K], null | undefined> };

/** Without the fields that are null or undefined; those of objects within stay. */
export const present = <T extends object>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null)) as Partial<
    Present<T>
  >; // its entries are the object's own
