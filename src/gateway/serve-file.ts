// A stored file as an answer: whole, a range of it, or the news that the caller has it; nothing in it can run as a page.
import type { ByteRange, FileBody } from "../control/storage/file-store.ts";
import type { StoredFile } from "../control/storage/files.ts";

const A_DAY_IN_SECONDS = 86_400;

/** The file or the part of it that is asked for, with leave to keep it for so many seconds; 0 for nobody's cache. */
export async function serveFile(request: Request, file: StoredFile, keepSeconds = A_DAY_IN_SECONDS): Promise<Response> {
  const etag = `"${Bun.hash(file.version).toString(16)}"`;
  const headers = headersOf(file, { etag, keepSeconds });
  const wanted = request.headers.get("if-match");
  if (wanted !== null && !matches(wanted, etag)) return new Response(null, { status: 412, headers });
  if (matches(request.headers.get("if-none-match"), etag)) return new Response(null, { status: 304, headers });
  const range = rangeOf(request, file.size, etag);
  if (range === "unsatisfiable") {
    const asked = { ...headers, "content-range": `bytes */${file.size}` };
    return new Response(null, { status: 416, headers: asked });
  }
  const body = request.method === "HEAD" ? null : await file.read(range);
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
  { name, contentType }: StoredFile,
  { etag, keepSeconds }: { etag: string; keepSeconds: number },
): HeaderFields => ({
  "content-type": contentType,
  "content-disposition": `inline; filename*=UTF-8''${encodeURIComponent(name)}`,
  "accept-ranges": "bytes",
  etag,
  "cache-control": keepSeconds > 0 ? `private, max-age=${keepSeconds}, immutable` : "private, no-store",
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; sandbox",
  "cross-origin-resource-policy": "cross-origin",
});

const matches = (header: string | null, etag: string) =>
  (header ?? "").split(",").some((each) => each.trim() === "*" || each.trim().replace(/^W\//, "") === etag);

/** One range of bytes; several at once or other units are answered with the whole file, as HTTP allows. */
function rangeOf(request: Request, size: number, etag: string): ByteRange | "unsatisfiable" | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(request.headers.get("range") ?? "");
  const condition = request.headers.get("if-range");
  if (!match || (condition !== null && condition !== etag)) return undefined;
  const [, first = "", last = ""] = match;
  if ((first === "" && last === "") || (first !== "" && last !== "" && Number(last) < Number(first))) return undefined;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
  return start < end ? { start, end } : "unsatisfiable";
}
