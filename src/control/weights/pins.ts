// Which commit the branch or tag of a model's source came to when it was first fetched: it stays with that until it is told otherwise.
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parse, type Static, Type } from "../../core/schema.ts";
import type { Part, RepoSource } from "../../engine/sources.ts";
import { weightsRoot } from "./disk/layout.ts";
import type { HubSource } from "./source.ts";

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

/** Undefined for other sources, before the first download, and where the model file names another revision by now. */
export async function pinOf(part: Part, data: string): Promise<Pin | undefined> {
  const { source } = part;
  if (!("repo" in source)) return undefined;
  return pinIn(await readFile(pinFile(data, part), "utf8").catch(() => undefined), source);
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
export async function keepPin(part: Part, pin: Pick<Pin, "commit" | "at">, data: string): Promise<void> {
  const { source } = part;
  if (!("repo" in source)) return;
  const path = pinFile(data, part);
  const { repo, revision } = source;
  await mkdir(dirname(path), { recursive: true });
  const fresh = `${path}.${process.pid}.new`;
  await writeFile(fresh, JSON.stringify({ version: 1, repo, revision, ...pin } satisfies Pin));
  await rename(fresh, path);
}

/** The same files of another commit; which bytes they are, its listing tells. */
export function sourceAt(source: RepoSource, commit: string): HubSource {
  const { repo } = source;
  if (source.revision === commit) return source;
  if ("files" in source) return { repo, revision: commit, include: source.files.map(({ path }) => path) };
  return { repo, revision: commit, include: source.include, exclude: source.exclude };
}

/** "@" is in no encoded name, so that a model's sources and other models' cannot be taken for each other. */
function pinFile(data: string, { id, folder }: Part): string {
  const name = folder === "" ? encodeURIComponent(id) : `${encodeURIComponent(id)}@${encodeURIComponent(folder)}`;
  return join(weightsRoot(data), ".pins", `${name}.json`);
}
