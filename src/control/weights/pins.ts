// Which commit a model's branch or tag came to when it was first fetched: it stays with that until it is told otherwise.
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parse, type Static, Type } from "../../core/schema.ts";
import type { Model } from "../../engine/model.ts";
import { weightsRoot } from "./disk/layout.ts";
import type { FolderSource, HubSource, UrlSource } from "./source.ts";

const pinSchema = Type.Object({
  version: Type.Literal(1),
  repo: Type.String(),
  /** What the model file says. */
  revision: Type.String(),
  /** What it was. */
  commit: Type.String({ pattern: "^[0-9a-f]{40}$" }),
  /** UTC milliseconds. */
  at: Type.Integer(),
});

export type Pin = Static<typeof pinSchema>;

type Sourced = Pick<Model, "id" | "source">;
type RepoSource = Extract<Model["source"], { repo: string }>;

/** Undefined for other sources, before the first download, and where the model file names another revision by now. */
export async function pinOf({ id, source }: Sourced, data: string): Promise<Pin | undefined> {
  if (!("repo" in source)) return undefined;
  return pinIn(await readFile(pinFile(data, id), "utf8").catch(() => undefined), source);
}

function pinIn(text: string | undefined, source: RepoSource): Pin | undefined {
  try {
    const pin = parse(pinSchema, JSON.parse(text ?? ""));
    return pin.repo === source.repo && pin.revision === source.revision ? pin : undefined;
  } catch {
    return undefined; // there is none, or it says nothing
  }
}

/** In one step: whoever looks sees the old commit or the new one. */
export async function keepPin({ id, source }: Sourced, pin: Pick<Pin, "commit" | "at">, data: string): Promise<void> {
  if (!("repo" in source)) return;
  const path = pinFile(data, id);
  const { repo, revision } = source;
  await mkdir(dirname(path), { recursive: true });
  const fresh = `${path}.${process.pid}.new`;
  await writeFile(fresh, JSON.stringify({ version: 1, repo, revision, ...pin } satisfies Pin));
  await rename(fresh, path);
}

/** What is fetched for a model: its file's source, at the commit that this box has settled on. */
export async function settledSource(model: Sourced, data: string): Promise<HubSource | UrlSource | FolderSource> {
  const { source } = model;
  if ("embedded" in source) throw new RangeError(`the weights of ${model.id} are not fetched`);
  if (!("repo" in source)) return source;
  const pin = await pinOf(model, data);
  return pin ? sourceAt(source, pin.commit) : source;
}

/** The same files of another commit; which bytes they are, its listing tells. */
export function sourceAt(source: RepoSource, commit: string): HubSource {
  const { repo } = source;
  if (source.revision === commit) return source;
  if ("files" in source) return { repo, revision: commit, include: source.files.map(({ path }) => path) };
  return { repo, revision: commit, include: source.include, exclude: source.exclude };
}

const pinFile = (data: string, id: string) => join(weightsRoot(data), ".pins", `${encodeURIComponent(id)}.json`);
