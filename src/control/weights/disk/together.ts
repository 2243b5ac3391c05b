// One folder out of several: a model of several sources finds its files in a folder of links, by the names it knows.
import { createHash, randomUUID } from "node:crypto";
import { mkdir, readdir, readlink, rename, rm, stat, symlink } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { ForecourtError } from "../../../core/errors.ts";

/** Files of one source: `at` is the folder that they are in, `folder` where the model finds them ("" is the top). */
export type Shelf = { folder: string; at: string; files: readonly string[] };

/** Passed over by Hugging Face's tools, as all names with a dot in front. */
const TOGETHER = ".together";

/** Of one source without a folder of its own: where it is. Otherwise the same folder for the same places; it need not be there. */
export function togetherFolder(root: string, shelves: readonly Omit<Shelf, "files">[]): string {
  const [only, ...others] = shelves;
  if (only?.folder === "" && others.length === 0) return only.at;
  const places = shelves.map(({ folder, at }) => [folder, relative(root, at)]).sort();
  return join(root, TOGETHER, createHash("sha256").update(JSON.stringify(places)).digest("hex").slice(0, 32));
}

/** Throws `misconfigured` for two files of one path, and for a file where another one's folder would be. */
export function expectApart(shelves: readonly Omit<Shelf, "at">[]): void {
  const paths = shelves.flatMap(({ folder, files }) => files.map((path) => join(folder, path)));
  const seen = new Set<string>();
  for (const path of paths) {
    if (seen.has(path)) throw collision(path);
    seen.add(path);
  }
  for (const path of paths)
    for (let above = dirname(path); above !== "."; above = dirname(above)) if (seen.has(above)) throw collision(above);
}

const collision = (path: string) =>
  new ForecourtError(
    "misconfigured",
    `Two sources of the model would bring ${path}: give one of them another folder.`,
    {
      details: { reason: "collision", path },
    },
  );

/** Makes that folder, or what it lacks; safe to call from several processes at once. Returns it. */
export async function putTogether(root: string, shelves: readonly Shelf[]): Promise<string> {
  const whole = togetherFolder(root, shelves);
  if (shelves.some(({ at }) => at === whole)) return whole;
  for (const { folder, at, files } of shelves)
    for (const path of files) await ensureLink(join(whole, folder, path), { to: join(at, path), root });
  return whole;
}

/** In one step: whoever looks sees no link or the right one. */
async function ensureLink(link: string, { to, root }: { to: string; root: string }): Promise<void> {
  // Relative inside of the weights, so that the data directory may be moved; others' caches stay where they are.
  const target = relative(root, to).startsWith("..") ? to : relative(dirname(link), to);
  if ((await readlink(link).catch(() => undefined)) === target) return;
  const fresh = join(root, TOGETHER, `.${randomUUID()}`);
  await mkdir(dirname(link), { recursive: true });
  await symlink(target, fresh);
  await rename(fresh, link);
}

/** Removes the folders of links into nothing: their weights were removed. */
export async function sweepTogether(root: string): Promise<void> {
  const names = await readdir(join(root, TOGETHER)).catch(() => []);
  for (const name of names) {
    const folder = join(root, TOGETHER, name);
    if (await leadsNowhere(folder)) await rm(folder, { recursive: true, force: true });
  }
}

async function leadsNowhere(folder: string): Promise<boolean> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const links = entries.filter((entry) => entry.isSymbolicLink());
  const found = await Promise.all(
    links.map(({ parentPath, name }) => stat(join(parentPath, name)).then(Boolean, () => false)),
  );
  return found.includes(false);
}
