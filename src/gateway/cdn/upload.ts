// Content on its way in: whole, or in parts and then joined.
import type { Content } from "../../control/storage/write-content.ts";
import { parse, Type } from "../../core/schema.ts";
import { bytes } from "../../core/units.ts";
import { requireUse } from "../authenticate.ts";
import type { Visit } from "../fal/call.ts";
import { readJson } from "../read-json.ts";
import { lifecycleOf } from "./lifecycle.ts";
import type { CdnParts, Names } from "./parts.ts";
import { fileUrl } from "./urls.ts";

/** The URL's secret is the right to send: no key is looked at, and one that is sent along does no harm. */
export async function putContent({ uploads }: CdnParts, visit: Visit, { secret = "" }: Names): Promise<Response> {
  const upload = await uploads.write(secret, contentOf(visit));
  return Response.json({ access_url: fileUrl(upload, visit.roots) });
}

/** JavaScript reads the body, Python the header. */
export async function putPart({ uploads }: CdnParts, visit: Visit, names: Names): Promise<Response> {
  const { number, etag } = await uploads.writePart(names.secret ?? "", Number(names.number), contentOf(visit));
  return Response.json({ partNumber: number, etag }, { headers: { etag: `"${etag}"` } });
}

const partsSchema = Type.Object({
  parts: Type.Array(
    Type.Object({ partNumber: Type.Integer({ minimum: 1 }), etag: Type.String({ minLength: 1, maxLength: 200 }) }),
    { minItems: 1, maxItems: 10_000 },
  ),
});

/** Enough for as many parts as may be. */
const PARTS_LIMIT = bytes(2 * 1024 * 1024);

/** In whatever order the parts are named. */
export async function completeParts({ uploads }: CdnParts, visit: Visit, { secret = "" }: Names): Promise<Response> {
  const { parts } = parse(partsSchema, await readJson(visit.request, PARTS_LIMIT));
  visit.waitForever();
  const named = parts.map(({ partNumber, etag }) => ({ number: partNumber, etag: etag.replace(/^W\/|"/g, "") }));
  const upload = await uploads.complete(secret, named);
  return Response.json({ access_url: fileUrl(upload, visit.roots) });
}

export async function uploadAtOnce(parts: CdnParts, visit: Visit): Promise<Response> {
  const { secret } = await begin(parts, visit);
  const upload = await parts.uploads.write(secret, contentOf(visit));
  return Response.json({ access_url: fileUrl(upload, visit.roots) });
}

export async function beginParts(parts: CdnParts, visit: Visit): Promise<Response> {
  const upload = await begin(parts, visit);
  return Response.json({ access_url: fileUrl(upload, visit.roots), uploadId: upload.secret });
}

async function begin({ uploads, authenticate }: CdnParts, { request }: Visit) {
  const caller = authenticate(request);
  requireUse(caller, "assets:write");
  const { headers } = request;
  return await uploads.begin({
    key: caller.id,
    name: decoded(headers.get("x-fal-file-name") ?? "file"),
    contentType: headers.get("content-type") ?? "application/octet-stream",
    ...lifecycleOf(headers),
  });
}

/** Header values are bytes; what was sent as UTF-8 arrives as Latin-1. */
function decoded(header: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(header, "latin1"));
  } catch {
    return header; // it was Latin-1
  }
}

/** When it has arrived, the box may be silent for as long as the disk takes. */
async function* contentOf({ request, waitForever }: Visit): Content {
  if (request.body) yield* request.body;
  waitForever();
}
