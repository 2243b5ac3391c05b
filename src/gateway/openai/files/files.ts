// /v1/files: the files of batches, uploads like all others, which their key alone reads: sent, listed, told, read, deleted.
import type { ListedUpload } from "../../../control/storage/uploads.ts";
import { ForecourtError } from "../../../core/errors.ts";
import { choice, parse, Type } from "../../../core/schema.ts";
import { milliseconds } from "../../../core/units.ts";
import { wrongField } from "../../../core/wrong-field.ts";
import { requireUse } from "../../authenticate.ts";
import type { Call } from "../../fal/call.ts";
import { plainText, readForm } from "../../read-form.ts";
import { requireMethod } from "../../require-method.ts";
import { serveFile } from "../../serve-file.ts";
import type { OpenAiParts } from "../runs.ts";

const PREFIX = "file-";
export const fileId = (token: string) => `${PREFIX}${token}`;

/** Everything below `/v1/files`; `rest` is what follows: an id, and `content`. */
export async function files(parts: OpenAiParts, call: Call, rest: readonly string[]): Promise<Response> {
  const [id, act, ...more] = rest;
  const wanted = id === undefined ? ["GET", "POST"] : act === undefined ? ["GET", "DELETE"] : ["GET"];
  if (more.length > 0 || (act !== undefined && act !== "content"))
    throw new ForecourtError("not_found", `Unknown request URL: /v1/files/.../${act}`.slice(0, 300));
  requireMethod(call.request, wanted, `Use ${wanted.join(" or ")}.`);
  requireUse(call.caller, call.request.method === "GET" ? "assets:read" : "assets:write");
  if (id === undefined) return call.request.method === "GET" ? listFiles(parts, call) : await sendFile(parts, call);
  const file = foundFile(parts, call, id);
  if (act === "content") return await serveFile(call.request, file, 0);
  if (call.request.method === "GET") return Response.json(told(file.listed));
  await parts.uploads.remove(file.listed.token);
  return Response.json({ id, object: "file", deleted: true });
}

/** One of the caller's. Throws `not_found`. */
export function foundFile({ uploads }: OpenAiParts, { caller }: Call, id: string) {
  const file = id.startsWith(PREFIX) ? uploads.ofToken(id.slice(PREFIX.length)) : undefined;
  const isMine = file && (file.owner === caller.id || caller.scope === "admin");
  if (file && isMine && file.listed.purpose !== null) return file;
  throw new ForecourtError("not_found", `No such File object: ${id.slice(0, 100)}`);
}

const told = ({ token, originalName, size, at, expiresAt, purpose }: ListedUpload) => ({
  ...{ id: fileId(token), object: "file", bytes: size, filename: originalName, purpose, status: "processed" },
  created_at: Math.floor(at.createdAt / 1000),
  expires_at: expiresAt === null ? null : Math.floor(expiresAt / 1000),
});

export const expiresAfter = Type.Object({
  anchor: Type.Literal("created_at"),
  seconds: Type.Integer({ minimum: 3600, maximum: 2_592_000, description: "How long it is kept" }),
});
/** In seconds: as at OpenAI, where nothing else is said. */
export const THIRTY_DAYS = 2_592_000;

export const fileBody = Type.Object({
  purpose: choice(["batch"], { description: "Other purposes are not served here" }),
  expires_after: Type.Optional(expiresAfter),
});

async function sendFile(parts: OpenAiParts, call: Call): Promise<Response> {
  const { file, ...given } = unfolded(await readForm(call.request, parts.bodyLimit));
  const { purpose, expires_after } = parse(fileBody, given);
  if (!(file instanceof File)) throw wrongField("file", "Field required: the file itself");
  call.waitForever();
  const seconds = expires_after?.seconds ?? THIRTY_DAYS;
  const { token, secret } = await parts.uploads.begin({
    ...{ key: call.caller.id, name: file.name, contentType: "application/jsonl", purpose },
    lifecycle: { acl: { default: "hide", rules: [] }, keepFor: milliseconds(seconds * 1000) },
  });
  await parts.uploads.write(secret, file.stream());
  return Response.json(told(foundFile(parts, call, fileId(token)).listed));
}

/** `expires_after[seconds]` of a form is a field of `expires_after`. */
function unfolded(form: Awaited<ReturnType<typeof readForm>>): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  const inner: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(form)) {
    const [, field] = /^expires_after\[(\w+)\]$/.exec(name) ?? [];
    if (field === undefined) fields[name] = value;
    else inner[field] = typeof value === "string" ? plainText(value) : value;
  }
  return Object.keys(inner).length > 0 ? { ...fields, expires_after: inner } : fields;
}

export const filesQuery = Type.Object({
  limit: Type.Integer({ default: 10_000, minimum: 1, maximum: 10_000 }),
  order: choice(["asc", "desc"], { default: "desc", description: "desc: the latest first" }),
  after: Type.Optional(Type.String({ description: "Id of the file that the page before ended with" })),
  purpose: Type.Optional(Type.String()),
});

function listFiles(parts: OpenAiParts, call: Call): Response {
  const { limit: asked, ...given } = Object.fromEntries(call.query);
  const query = parse(filesQuery, { ...given, ...(asked !== undefined && { limit: Number(asked) }) }, ["query"]);
  const { limit, order, purpose, after } = query;
  const from = after === undefined ? undefined : foundFile(parts, call, after).listed.at;
  const page = { after: from, limit: limit + 1, order, purpose: purpose ?? "any" } as const;
  const found = parts.uploads.list(call.caller.id, page);
  const data = found.slice(0, limit).map(told);
  const ends = { first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
  return Response.json({ object: "list", data, ...ends, has_more: found.length > limit });
}
