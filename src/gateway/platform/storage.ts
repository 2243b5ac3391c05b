// Uploaded files by their URL, for their owner and admins: who may read them, and URLs that read them whatever the rules.
import type { Key } from "../../control/keys/keys.ts";
import { aclSchema } from "../../control/storage/acl.ts";
import type { UploadedFile } from "../../control/storage/uploads.ts";
import { Type } from "../../core/schema.ts";
import { milliseconds } from "../../core/units.ts";
import { signedUrl } from "../cdn/download.ts";
import { noFile } from "../reader.ts";
import { get, type PlatformParts, post, put } from "./operation.ts";

const ofFile = Type.Object({
  url: Type.String({ minLength: 1, maxLength: 2000, description: "URL of an uploaded file" }),
});

export const fileAcl = get({
  path: "/storage/files/acl",
  summary: "Who may read an uploaded file; `user` is the id or name of a key",
  query: ofFile,
  result: aclSchema,
  answer: ({ uploads }, { query, caller }) => ownFile(uploads, query.url, caller).file.acl,
});

export const setFileAcl = put({
  path: "/storage/files/acl",
  summary: "Set who may read an uploaded file",
  query: ofFile,
  body: aclSchema,
  result: aclSchema,
  async answer({ uploads }, { query, body, caller }) {
    await uploads.share(ownFile(uploads, query.url, caller).token, body);
    return body;
  },
});

export const signFile = post({
  path: "/storage/files/sign",
  summary: "A URL that reads an uploaded file whatever its rules say",
  query: ofFile,
  body: Type.Object({
    expiration_seconds: Type.Integer({ minimum: 1, maximum: 604_800, default: 86_400, description: "Seconds" }),
  }),
  result: Type.Object({ signed_url: Type.String({ format: "uri" }) }),
  answer({ uploads, tokens }, { query, body, caller, roots }) {
    const { token, name } = ownFile(uploads, query.url, caller);
    const lifetime = milliseconds(body.expiration_seconds * 1000);
    return { signed_url: signedUrl({ tokens, roots }, { token, name, key: caller.id, lifetime }) };
  },
});

/** The token in a URL names its file, whatever the host was called. Throws `not_found` also for other people's files. */
function ownFile(
  uploads: PlatformParts["uploads"],
  url: string,
  caller: Key,
): { file: UploadedFile; token: string; name: string } {
  const [, token = "", name = ""] =
    /\/files\/b\/([\w-]{22})\/([\w.-]{1,100})$/.exec(URL.parse(url)?.pathname ?? "") ?? [];
  const file = uploads.find(token, name);
  if (!file || (file.owner !== caller.id && caller.scope !== "admin")) throw noFile();
  return { file, token, name };
}
