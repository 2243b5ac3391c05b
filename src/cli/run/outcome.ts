// What one run brought: its output, and its files written where the user wants them.
import { mkdir, writeFile } from "node:fs/promises";
import { extname, join, resolve } from "node:path";

export type Outcome = {
  requestId: string;
  output: unknown;
  device?: string;
  /** What the numbers of its graphs were there. */
  dtype?: string;
  /** e.g. `queue=0.2, load=310, run=1240` in milliseconds. */
  timing?: string;
  /** The bytes behind a file's URL in the output. */
  open(url: string): Promise<Uint8Array>;
};

/** Saves every file that the output names; returns their absolute paths in the output's order. */
export async function saveFiles(outcome: Outcome, given: { model: string; folder: string }): Promise<string[]> {
  const found = filesIn(outcome.output);
  if (found.length > 0) await mkdir(given.folder, { recursive: true });
  const paths: string[] = [];
  for (const [index, file] of found.entries()) {
    const path = resolve(join(given.folder, fileName(outcome, { ...given, index, ...file })));
    await writeFile(path, await outcome.open(file.url));
    paths.push(path);
  }
  return paths;
}

/** Says which model and which request, so that later runs overwrite nothing: `demo-diffusion-9f3a01c2-0.png`. */
function fileName(
  { requestId }: Outcome,
  { model, index, name }: { model: string; index: number; name: string },
): string {
  const extension = extname(name).replace(/[^.\w]/g, "");
  return `${model.split("/").at(-1)}-${requestId.slice(-8)}-${index}${extension}`;
}

type NamedFile = { url: string; name: string };

/** Objects with a `url` and a `content_type`, wherever they are. */
function filesIn(value: unknown): NamedFile[] {
  if (Array.isArray(value)) return value.flatMap(filesIn);
  if (typeof value !== "object" || value === null) return [];
  if ("url" in value && typeof value.url === "string" && "content_type" in value)
    return [{ url: value.url, name: "file_name" in value ? String(value.file_name) : extensionOf(value.content_type) }];
  return Object.values(value).flatMap(filesIn);
}

/** `sync_mode` gives data URIs without a file name. */
const extensionOf = (contentType: unknown) => `file.${String(contentType).split("/").at(-1)?.replace("jpeg", "jpg")}`;
