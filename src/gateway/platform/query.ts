// Query strings of the platform API: lists repeated or joined by commas, numbers as text, opaque cursors.
import { ForecourtError } from "../../core/errors.ts";
import { type TObject, type TSchema, Type } from "../../core/schema.ts";

/** Text that does not fit its field stays text, so that validation can say what is wrong with it. */
export function queryValues(schema: TObject, query: URLSearchParams): Record<string, unknown> {
  const given = Object.entries(schema.properties).map(([name, field]) => {
    const texts = [...query.getAll(name), ...query.getAll(`${name}[]`)];
    return [name, texts.length === 0 ? undefined : fieldValue(field, texts)] as const;
  });
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

function fieldValue(field: TSchema, texts: string[]): unknown {
  if (field.type === "array") return texts.flatMap((text) => text.split(",")).filter((text) => text !== "");
  const text = texts[0] ?? "";
  if (field.type !== "integer" && field.type !== "number") return text;
  return text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text);
}

/** fal allows 1 to 50 ids. */
export const idList = (description: string) =>
  Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { minItems: 1, maxItems: 50, description });

export const pageFields = (most: number, usual: number) => ({
  limit: Type.Integer({ minimum: 1, maximum: most, default: usual, description: "Items of a page" }),
  cursor: Type.Optional(Type.String({ maxLength: 500, description: "`next_cursor` of the page before" })),
});

export const pageResult = {
  next_cursor: nullable(Type.String({ description: "Null at the end" })),
  has_more: Type.Boolean(),
};

/** For documentation only: OpenAPI 3.0 has no type null. */
export function nullable<Schema extends TSchema>(schema: Schema): TSchema {
  return { ...schema, nullable: true };
}

/** Opaque to callers, so that what it says may change. */
export const toCursor = (position: unknown[]) => Buffer.from(JSON.stringify(position)).toString("base64url");

/** Throws `invalid_input` for what is no cursor of this many positions. */
export function fromCursor(cursor: string | undefined, length: number): unknown[] | undefined {
  if (cursor === undefined) return undefined;
  const position = readCursor(cursor);
  if (Array.isArray(position) && position.length === length) return position;
  throw wrongQuery("cursor", "Input should be the next_cursor of an earlier answer");
}

/** Of pages that are counted off: how many items come before. Throws `invalid_input`. */
export function offsetOf(cursor: string | undefined): number {
  const [from = 0] = fromCursor(cursor, 1) ?? [];
  if (typeof from === "number" && Number.isSafeInteger(from) && from >= 0) return from;
  throw wrongQuery("cursor", "Input should be the next_cursor of an earlier answer");
}

/** Undefined for what no `toCursor` wrote. */
export function readCursor(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, "base64url").toString());
  } catch {
    return undefined; // not one of ours
  }
}

export const wrongQuery = (name: string, msg: string) =>
  new ForecourtError("invalid_input", `${name}: ${msg}`, {
    problems: [{ loc: ["query", name], msg, type: "value_error" }],
  });
