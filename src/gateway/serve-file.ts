// A stored file as an answer: whole, a range of it, or the news that the caller has it; nothing in it can run as a page.
import type { ByteRange, FileBody } from "../control/storage/file-store.ts";
import type { StoredFile } from "../control/storage/files.ts";
import { isHead } from "./head.ts";

const A_DAY_IN_SECONDS = 86_400;

/** The file or the part of it that is asked for, with leave to keep it for so many seconds; 0 for nobody's cache. */
export async function serveFile(request: Request, file: StoredFile, keepSeconds = A_DAY_IN_SECONDS): Promise<Response> {
  const etag = `"${Bun.hash(file.version).toString(16)}"`;
  const headers = headersOf(file, { etag, keepSeconds });
  const status = conditionOf(request.headers, { etag, modifiedAt: file.modifiedAt });
  if (status !== undefined) return new Response(null, { status, headers });
  const range = rangeOf(request, file, etag);
  if (range === "unsatisfiable") {
    const asked = { ...headers, "content-range": `bytes */${file.size}` };
    return new Response(null, { status: 416, headers: asked });
  }
  const body = isHead(request) ? null : await file.read(range);
  if (range === undefined) return sized(body, file.size, { status: 200, headers });
  const { start, end } = range;
  const part = { ...headers, "content-range": `bytes ${start}-${end - 1}/${file.size}` };
  return sized(body, end - start, { status: 206, headers: part });
}

/** A HEAD answer says how long the body would be. */
const sized = (body: FileBody | null, size: number, { status, headers }: { status: number; headers: HeaderFields }) =>
  new Response(body, { status, headers: { ...headers, "content-length": String(size) } });

type HeaderFields = Record<string, string>;

const headersOf = (
  { name, contentType, modifiedAt }: StoredFile,
  { etag, keepSeconds }: { etag: string; keepSeconds: number },
): HeaderFields => ({
  "content-type": contentType,
  "content-disposition": `inline; filename*=UTF-8''${encodeURIComponent(name)}`,
  "accept-ranges": "bytes",
  etag,
  "last-modified": new Date(modifiedAt).toUTCString(),
  "cache-control": keepSeconds > 0 ? `private, max-age=${keepSeconds}, immutable` : "private, no-store",
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; sandbox",
  "cross-origin-resource-policy": "cross-origin",
});

const matches = (header: string | null, etag: string) =>
  (header ?? "").split(",").some((each) => each.trim() === "*" || each.trim().replace(/^W\//, "") === etag);

type Version = { etag: string; modifiedAt: number };

/** In the order of RFC 9110, 13.2.2: a tag says more than a time, and where both are given the time does not count. */
function conditionOf(headers: Headers, { etag, modifiedAt }: Version): 304 | 412 | undefined {
  const wanted = headers.get("if-match");
  const known = headers.get("if-none-match");
  const isUnmodified = (since: string | null) => {
    const at = since === null ? Number.NaN : Date.parse(since);
    return Number.isNaN(at) ? undefined : secondOf(modifiedAt) <= secondOf(at);
  };
  if (wanted === null ? isUnmodified(headers.get("if-unmodified-since")) === false : !matches(wanted, etag)) return 412;
  if (known === null ? isUnmodified(headers.get("if-modified-since")) === true : matches(known, etag)) return 304;
  return undefined;
}

/** HTTP's dates know no parts of it. */
const secondOf = (ms: number) => Math.floor(ms / 1000);

/** One range of bytes; several at once or other units are answered with the whole file, as HTTP allows. */
function rangeOf(
  request: Request,
  { size, modifiedAt }: StoredFile,
  etag: string,
): ByteRange | "unsatisfiable" | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(request.headers.get("range") ?? "");
  const condition = request.headers.get("if-range");
  const isSame = condition === null || condition === etag || condition === new Date(modifiedAt).toUTCString();
  if (!match || !isSame) return undefined;
  const [, first = "", last = ""] = match;
  if ((first === "" && last === "") || (first !== "" && last !== "" && Number(last) < Number(first))) return undefined;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
  return start < end ? { start, end } : "unsatisfiable";
}
