// Files by their URL, uploads and outputs of jobs, for their owner and admins: who may read them, and URLs that read them
// whatever the rules.
import type { Key } from "../../control/keys/key.ts";
import { type Acl, aclSchema } from "../../control/storage/acl.ts";
import { asId, type FileToken, type KeyId } from "../../core/ids.ts";
import { isoTime } from "../../core/iso-time.ts";
import { Type } from "../../core/schema.ts";
import { instant, milliseconds } from "../../core/units.ts";
import { fileUrl as uploadedUrl } from "../cdn/urls.ts";
import type { Roots } from "../fal/call.ts";
import { fileUrl as outputUrl } from "../fal/translate.ts";
import { noFile } from "../reader.ts";
import { get, type PlatformParts, post, put, remove } from "./operation.ts";
import { fromCursor, nullable, pageFields, pageResult, toCursor, wrongQuery } from "./query.ts";
import { ofKnownKeys } from "./storage-settings.ts";

const ofFile = Type.Object({
  url: Type.String({ minLength: 1, maxLength: 2000, description: "URL of an uploaded file or of a job's output" }),
});

export const listFiles = get({
  path: "/storage/files",
  permission: "assets:read",
  summary: "Files that the caller's key uploaded, the latest first, and how much of its room they take",
  query: Type.Object(pageFields(1000, 100)),
  result: Type.Object({
    files: Type.Array(
      Type.Object({
        url: Type.String({ format: "uri" }),
        file_name: Type.String({ description: "As its uploader called it" }),
        content_type: Type.String(),
        size: Type.Integer({ description: "Bytes" }),
        created_at: Type.String({ format: "date-time" }),
        expires_at: nullable(Type.String({ format: "date-time" })),
      }),
    ),
    room: Type.Object({
      taken: Type.Integer({
        description: "Bytes, with what has no content yet; a file counts with 16 KiB more than it has",
      }),
      limit: nullable(Type.Integer({ description: "Bytes; null where there is no limit" })),
    }),
    ...pageResult,
  }),
  answer({ uploads }, { query: { limit, cursor }, caller, roots }) {
    const found = uploads.list(caller.id, { limit: limit + 1, after: placeOf(cursor) });
    const shown = found.slice(0, limit);
    const { at } = shown.at(-1) ?? {};
    const hasMore = found.length > limit;
    return {
      files: shown.map(({ originalName, contentType, size, at: { createdAt, token }, expiresAt, name }) => ({
        ...{ url: uploadedUrl({ token, name }, roots), file_name: originalName, content_type: contentType, size },
        created_at: isoTime(instant(createdAt)),
        expires_at: expiresAt === null ? null : isoTime(expiresAt),
      })),
      room: {
        taken: uploads.room.taken(caller.id),
        limit: Number.isFinite(uploads.room.limit) ? uploads.room.limit : null,
      },
      next_cursor: hasMore && at ? toCursor([at.createdAt, at.token]) : null,
      has_more: hasMore,
    };
  },
});

function placeOf(cursor: string | undefined) {
  const [createdAt, token] = fromCursor(cursor, 2) ?? [];
  if (createdAt === undefined) return undefined;
  if (typeof createdAt === "number" && typeof token === "string") return { createdAt, token };
  throw wrongQuery("cursor", "Input should be the next_cursor of an earlier answer");
}

export const removeFile = remove({
  path: "/storage/files",
  permission: "assets:write",
  summary: "Delete an uploaded file; outputs are deleted with their request's payloads",
  query: ofFile,
  async answer(parts, { query, caller }) {
    const { token } = ownFile(parts, query.url, caller, [uploaded]);
    await parts.uploads.remove(token);
  },
});

export const fileAcl = get({
  path: "/storage/files/acl",
  permission: "assets:read",
  summary: "Who may read a file; `user` is the id or name of a key. All outputs of a job have the same rules",
  query: ofFile,
  result: aclSchema,
  answer: (parts, { query, caller }) => ownFile(parts, query.url, caller).acl,
});

export const setFileAcl = put({
  path: "/storage/files/acl",
  permission: "assets:write",
  summary: "Set who may read a file; rules for keys that do not exist are dropped",
  query: ofFile,
  body: aclSchema,
  result: aclSchema,
  async answer(parts, { query, body, caller }) {
    const acl = ofKnownKeys(body, parts.keys);
    await ownFile(parts, query.url, caller).share(acl);
    return acl;
  },
});

export const signFile = post({
  path: "/storage/files/sign",
  permission: "assets:write",
  summary: "A URL that reads a file whatever its rules say",
  query: ofFile,
  body: Type.Object({
    expiration_seconds: Type.Integer({ minimum: 1, maximum: 604_800, default: 86_400, description: "Seconds" }),
  }),
  result: Type.Object({ signed_url: Type.String({ format: "uri" }) }),
  answer(parts, { query, body, caller, roots }) {
    const { token, urlAt } = ownFile(parts, query.url, caller);
    const lifetime = milliseconds(body.expiration_seconds * 1000);
    const identity = parts.tokens.issue({ key: caller.id, grant: { use: "file", file: token }, lifetime }).token;
    return { signed_url: `${urlAt(roots)}?identity=${identity}` };
  },
});

type OwnFile = { token: string; acl: Acl; share(acl: Acl): Promise<void>; urlAt(roots: Roots): string };
type Files = Pick<PlatformParts, "uploads" | "outputs">;

const UPLOADED = /\/files\/b\/([\w-]{22})\/([\w.-]{1,100})$/;
const OUTPUT = /\/files\/([\w-]{22})\/([\w.-]{1,200})$/;

/** The token in a URL names its file, whatever the host was called. Throws `not_found` also for other people's files. */
function ownFile(parts: Files, url: string, caller: Key, kinds = [uploaded, output]): OwnFile {
  const path = URL.parse(url)?.pathname ?? "";
  const found = kinds.map((find) => find(parts, path)).find((each) => each !== undefined);
  if (!found || (found.owner !== caller.id && caller.scope !== "admin")) throw noFile();
  return found;
}

type Found = (OwnFile & { owner: KeyId }) | undefined;

function uploaded({ uploads }: Files, path: string): Found {
  const [, token = "", name = ""] = UPLOADED.exec(path) ?? [];
  const file = token === "" ? undefined : uploads.find(token, name);
  return (
    file && {
      ...{ token, owner: file.owner, acl: file.acl },
      share: (acl) => uploads.share(token, acl),
      urlAt: (roots) => uploadedUrl({ token, name }, roots),
    }
  );
}

function output({ outputs }: Files, path: string): Found {
  const [, token = "", name = ""] = OUTPUT.exec(path) ?? [];
  const files = token === "" ? undefined : outputs.find(token);
  return (
    files && {
      ...{ token, ...files },
      share: (acl) => outputs.share(token, acl),
      urlAt: (roots) => outputUrl(name, asId<FileToken>(token), roots),
    }
  );
}
