// An answer as content that a language model can take in: JSON as text, links to files, and small pictures themselves.
import type { Appliance } from "../../control/appliance.ts";
import type { StoredFile } from "../../control/storage/files.ts";
import type { Call } from "../fal/call.ts";

/** MCP's content blocks, of the kinds that are made here. */
export type Content =
  | { type: "text"; text: string }
  | { type: "resource_link"; uri: string; name: string; mimeType?: string }
  | { type: "image" | "audio"; data: string; mimeType: string };

type Reading = Pick<Call, "caller" | "roots"> & Pick<Appliance, "files" | "jobs">;

/** Clients refuse answers of more than about a megabyte, and base64 makes four thirds of it. */
const MOST_EMBEDDED_BYTES = 700 * 1024;
/** A data URI longer than this is worth its own block and no place in the text. */
const LONGEST_INLINE = 1000;

/** `structured` is the value as the text shows it. */
export async function contentOf(
  value: Record<string, unknown>,
  reading: Reading,
): Promise<{ content: Content[]; structured: Record<string, unknown> }> {
  const structured = shortened(value) as Record<string, unknown>; // an object stays one
  const content: Content[] = [{ type: "text", text: JSON.stringify(structured, null, 2) }];
  let room = MOST_EMBEDDED_BYTES;
  for (const media of mediaIn(value)) {
    const { url, name, mimeType } = media;
    const isLink = !url.startsWith("data:");
    if (isLink) content.push({ type: "resource_link", uri: url, name, ...(mimeType && { mimeType }) });
    const embedded = isLink ? await readOwn(url, room, reading) : fromDataUri(url, room);
    if (!embedded) continue;
    content.push(embedded);
    room -= embedded.data.length * 0.75;
  }
  return { content, structured };
}

type Media = { url: string; name: string; mimeType?: string };

/** fal's File objects: a `url` with a `content_type` beside it, and data URIs wherever they are a `url`. */
function mediaIn(value: unknown): Media[] {
  if (typeof value !== "object" || value === null) return [];
  if ("url" in value && typeof value.url === "string" && ("content_type" in value || value.url.startsWith("data:")))
    return [mediaOf(value.url, value)];
  return Object.values(value).flatMap(mediaIn);
}

function mediaOf(url: string, { content_type: type, file_name: name }: Record<string, unknown>): Media {
  const last = url.startsWith("data:") ? "file" : (url.split(/[?#]/, 1)[0]?.split("/").at(-1) ?? "file");
  return {
    url,
    name: typeof name === "string" ? name : last || "file",
    ...(typeof type === "string" && { mimeType: type }),
  };
}

/** A picture of this box, if it is small and the caller may read it. */
async function readOwn(url: string, room: number, { caller, roots, files, jobs }: Reading): Promise<Embedded> {
  const [, token = "", name = ""] = /^\/files\/([\w-]{22})\/([\w.-]+)$/.exec(pathBelow(url, roots.origin) ?? "") ?? [];
  const file = token === "" ? undefined : await files.find(token, name);
  if (!file?.contentType.startsWith("image/") || file.size > room) return undefined;
  if ((jobs.fileRules(token)?.decide(caller) ?? "allow") !== "allow") return undefined;
  return { type: "image", data: await base64Of(file), mimeType: file.contentType };
}

type Embedded = Extract<Content, { type: "image" | "audio" }> | undefined;

const pathBelow = (url: string, origin: string) =>
  url.startsWith(`${origin}/`) ? url.slice(origin.length) : undefined;

async function base64Of(file: StoredFile): Promise<string> {
  const bytes = await new Response(await file.read()).arrayBuffer();
  return Buffer.from(bytes).toString("base64");
}

function fromDataUri(url: string, room: number): Embedded {
  const [, mimeType = "", data = ""] = /^data:((?:image|audio)\/[\w.+-]+);base64,([A-Za-z0-9+/=]+)$/.exec(url) ?? [];
  if (data === "" || data.length * 0.75 > room) return undefined;
  return { type: mimeType.startsWith("image/") ? "image" : "audio", data, mimeType };
}

function shortened(value: unknown): unknown {
  if (typeof value === "string") return shortUri(value);
  if (Array.isArray(value)) return value.map(shortened);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, shortened(inner)]));
}

const shortUri = (text: string) =>
  text.startsWith("data:") && text.length > LONGEST_INLINE
    ? `${text.slice(0, text.indexOf(",") + 1)}... (${text.length} characters)`
    : text;
