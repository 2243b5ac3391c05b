// Places to upload to, and the token for uploading straight to the CDN (fal-protocol.md 6.1 to 6.3).
import { parse, Type } from "../../core/schema.ts";
import { milliseconds } from "../../core/units.ts";
import { lifecycleOf } from "../cdn/lifecycle.ts";
import { fileUrl, uploadUrl } from "../cdn/urls.ts";
import type { Call } from "../fal/call.ts";
import type { RestParts } from "./parts.ts";

export const fileSchema = Type.Object({
  file_name: Type.String({ maxLength: 10_000, default: "file" }),
  content_type: Type.String({ maxLength: 1000, default: "application/octet-stream" }),
});

/**
 * The same for one PUT and for many, and for every `storage_type`. The upload URL is the right to send the content: fal's
 * JavaScript client calls it without its key.
 */
export async function initiateUpload(
  { uploads }: Pick<RestParts, "uploads">,
  { request, caller, roots }: Call,
  body: unknown,
): Promise<Response> {
  const { file_name: name, content_type: contentType } = parse(fileSchema, body);
  const upload = await uploads.begin({ key: caller.id, name, contentType, ...lifecycleOf(request.headers) });
  return Response.json({ upload_url: uploadUrl(upload, roots), file_url: fileUrl(upload, roots) });
}

export const tokenSchema = Type.Object({
  expiration_seconds: Type.Integer({ minimum: 1, maximum: 30 * 86_400, default: 86_400 }),
});

export function storageToken({ tokens }: Pick<RestParts, "tokens">, { caller, roots }: Call, body: unknown): Response {
  const lifetime = milliseconds(parse(tokenSchema, body).expiration_seconds * 1000);
  const { token, expiresAt } = tokens.issue({ key: caller.id, grant: { use: "storage" }, lifetime });
  return Response.json({
    token,
    token_type: "Bearer",
    base_url: roots.cdn,
    // Python before 3.11 reads no `Z`, and compares only times that have an offset.
    expires_at: new Date(expiresAt).toISOString().replace("Z", "+00:00"),
  });
}
