// Uploaded files by URL: for all, for some keys, or for whoever has a signed URL.
import { isSigned } from "../../control/storage/signed.ts";
import type { KeyId } from "../../core/ids.ts";
import { choice, parse, Type } from "../../core/schema.ts";
import { bytes, type Milliseconds, milliseconds } from "../../core/units.ts";
import type { Visit } from "../fal/call.ts";
import { readJson } from "../read-json.ts";
import { noFile, readerOf, requireLeave } from "../reader.ts";
import { serveFile } from "../serve-file.ts";
import type { CdnParts, Names } from "./parts.ts";
import { fileUrl } from "./urls.ts";

/** Throws `not_found` also for a file that its rules hide, `forbidden` for one that they forbid. */
export async function download(parts: CdnParts, visit: Visit, { token = "", name = "" }: Names): Promise<Response> {
  const file = parts.uploads.find(token, name);
  if (!file) throw noFile();
  const isPublic = file.decide(undefined) === "allow";
  if (!isPublic && !isSigned(parts.tokens, visit.query.get("identity"), token))
    requireLeave(file.decide(readerOf(parts.authenticate, visit.request)));
  return serveFile(visit.request, file, isPublic ? Math.floor(Math.min(file.secondsLeft, A_DAY)) : 0);
}

const A_DAY = 86_400;

const signSchema = Type.Object({
  duration: Type.Integer({ minimum: 1, maximum: 604_800, default: 86_400, description: "Seconds" }),
  scope: Type.Array(choice(["read"]), { default: ["read"] }),
});
const SIGN_LIMIT = bytes(64 * 1024);

/** A URL that reads the file whatever its rules say; given to its owner and admins, as plain text. */
export async function sign(parts: CdnParts, visit: Visit, { token = "", name = "" }: Names): Promise<Response> {
  const caller = parts.authenticate(visit.request);
  const file = parts.uploads.find(token, name);
  if (!file || (file.owner !== caller.id && caller.scope !== "admin")) throw noFile();
  const { duration } = parse(signSchema, await readJson(visit.request, SIGN_LIMIT));
  const lifetime = milliseconds(duration * 1000);
  const url = signedUrl({ tokens: parts.tokens, roots: visit.roots }, { token, name, key: caller.id, lifetime });
  return new Response(url, { headers: { "content-type": "text/plain; charset=utf-8" } });
}

type Signing = { tokens: Pick<CdnParts["tokens"], "issue">; roots: Visit["roots"] };
type ToSign = { token: string; name: string; key: KeyId; lifetime: Milliseconds };

/** Reads the file until its time, or its signer's key, ends. */
function signedUrl({ tokens, roots }: Signing, { token, name, key, lifetime }: ToSign): string {
  const identity = tokens.issue({ key, grant: { use: "file", file: token }, lifetime }).token;
  return `${fileUrl({ token, name }, roots)}?identity=${identity}`;
}
