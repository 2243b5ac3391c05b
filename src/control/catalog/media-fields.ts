// Does a schema have fields that hold URLs of files?
import type { TSchema } from "../../core/schema.ts";

export const hasMedia = (schema: TSchema): boolean =>
  schema.media !== undefined ||
  (schema.items !== undefined && hasMedia(schema.items)) ||
  Object.values<TSchema>(schema.properties ?? {}).some(hasMedia) ||
  (schema.anyOf ?? []).some(hasMedia);
