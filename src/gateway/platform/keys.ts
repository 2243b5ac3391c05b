// API keys as fal's platform API has them: aliases instead of names, and only keys for models are made here.
import type { Key } from "../../control/keys/key.ts";
import { asId, type KeyId } from "../../core/ids.ts";
import { isoTime } from "../../core/iso-time.ts";
import { choice, Type } from "../../core/schema.ts";
import { adminDelete, adminGet, adminPost } from "./operation.ts";
import { fromCursor, nullable, pageFields, pageResult, toCursor } from "./query.ts";

const scopes = ["API", "ADMIN", "METRICS"] as const;

export const listKeys = adminGet({
  path: "/keys",
  summary: "Keys that are in force, without their secrets",
  query: Type.Object({
    ...pageFields(1000, 100),
    expand: Type.Optional(
      Type.Array(choice(["creator_info"]), { description: "creator_info: who made it; never known here" }),
    ),
  }),
  result: Type.Object({
    keys: Type.Array(
      Type.Object({
        key_id: Type.String(),
        alias: Type.String(),
        scope: choice(scopes),
        created_at: Type.String({ format: "date-time" }),
        creator_nickname: Type.Optional(nullable(Type.String())),
        creator_email: Type.Optional(nullable(Type.String())),
      }),
    ),
    ...pageResult,
  }),
  answer({ keys, clock }, { query: { limit, cursor, expand } }) {
    const [after] = fromCursor(cursor, 1) ?? [];
    const left = keys.page({
      ...(after !== undefined && { after: String(after) }),
      ...{ limit: limit + 1, inForceAt: clock.now() },
    });
    const shown = left.slice(0, limit);
    const hasMore = left.length > limit;
    const creator = expand ? { creator_nickname: null, creator_email: null } : {};
    return {
      keys: shown.map((key) => ({ ...published(key), ...creator })),
      next_cursor: hasMore ? toCursor([shown.at(-1)?.id]) : null,
      has_more: hasMore,
    };
  },
});

const published = ({ id, name, scope, createdAt }: Key) => ({
  key_id: id,
  alias: name,
  scope: scope.toUpperCase(),
  created_at: isoTime(createdAt),
});

export const createKey = adminPost({
  path: "/keys",
  summary: "Make a key for models; its secret is shown this once",
  body: Type.Object({ alias: Type.String({ minLength: 1, maxLength: 200, description: "What or whom it is for" }) }),
  status: 201,
  result: Type.Object({
    key_id: Type.String(),
    key_secret: Type.String(),
    key: Type.String({ description: "id:secret" }),
  }),
  answer({ keys }, { body: { alias } }) {
    const { key, secret } = keys.create({ name: alias, scope: "api" });
    return { key_id: key.id, key_secret: secret.slice(key.id.length + 1), key: secret };
  },
});

export const deleteKey = adminDelete({
  path: "/keys/{key_id}",
  summary: "End a key at once; no harm where there is none",
  answer({ keys }, { names }) {
    const id = asId<KeyId>(names.key_id ?? "");
    if (keys.get(id)) keys.revoke(id);
  },
});
