// The plan for a Hub repository: its commit, and its listing cut down to what is wanted.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ForecourtError } from "../../../core/errors.ts";
import { checkedPath, folderNameOf, isCommit, repoFolder } from "../disk/layout.ts";
import type { Hub } from "../hub.ts";
import { choose } from "../patterns.ts";
import type { HubSource } from "../source.ts";
import { isPassing } from "../transfer/patience.ts";
import { type Plan, planKey, recallPlan } from "./plan.ts";

type Planning = {
  source: HubSource;
  hub: Hub;
  /** Folders in the Hub cache's layout, ours first: where earlier answers are found when the Hub is out of reach. */
  roots: readonly string[];
  signal: AbortSignal;
  onNotice: (message: string) => void;
};

/** Throws hub.ts's errors, and `misconfigured` for patterns that match nothing. */
export async function planHub(planning: Planning): Promise<Plan> {
  const { source, hub, roots, signal } = planning;
  const { repo, revision = "main", files: pinned = [], include = [], exclude = [] } = source;
  const folderName = folderNameOf(repo);
  const key = questionOf(source);
  const commit = isCommit(revision) ? revision : await commitOf(repo, revision, planning);
  const plan = { title: repo, folderName, commit, key, ...(revision !== commit && { ref: revision }) };
  const withUrl = <File extends { path: string }>(file: File) => ({ ...file, url: hub.url(repo, commit, file.path) });
  if (pinned.length > 0) return { ...plan, files: pinned.map(pinnedFile).map(withUrl) };

  const known = await recallPlan(repoFolder(roots[0] ?? "", folderName), commit, key);
  const files = known?.files ?? choose(await hub.files(repo, commit, signal), { include, exclude });
  // The address may have changed since the plan was made; the content cannot.
  return { ...plan, files: files.map(withUrl) };
}

/** By which the plan of a source is found again. */
export const questionOf = ({ files: pinned = [], include = [], exclude = [] }: HubSource): string =>
  planKey(pinned.length > 0 ? { pinned } : { include, exclude });

const pinnedFile = ({ path, bytes, sha256 }: { path: string; bytes: number; sha256: string }) => ({
  path: checkedPath(path),
  bytes,
  digest: { algorithm: "sha256" as const, hex: sha256 },
});

/** A box without a network should not take minutes to find that out. */
const ATTEMPTS_IF_KNOWN = 2;

async function commitOf(repo: string, revision: string, { hub, roots, signal, onNotice }: Planning): Promise<string> {
  checkedPath(revision);
  const known = await knownCommit(repo, revision, roots);
  try {
    return (await hub.revision(repo, revision, signal, known === undefined ? undefined : ATTEMPTS_IF_KNOWN)).commit;
  } catch (error) {
    if (known === undefined || !(isPassing(error) || isOffline(error))) throw error;
    onNotice(`${error.message} Using ${revision} of ${repo} as this box last saw it: ${known}.`);
    return known;
  }
}

const isOffline = (error: unknown): error is ForecourtError =>
  error instanceof ForecourtError && error.details?.reason === "offline";

/** What a branch or tag was when it was last asked for on this machine. */
export async function knownCommit(
  repo: string,
  revision: string,
  roots: readonly string[],
): Promise<string | undefined> {
  for (const root of roots) {
    const path = join(repoFolder(root, folderNameOf(repo)).refs, revision);
    const text = await readFile(path, "utf8").catch(onlyIfMissing);
    if (text !== undefined && isCommit(text.trim())) return text.trim();
  }
  return undefined;
}

function onlyIfMissing(error: unknown): undefined {
  if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return;
  throw new ForecourtError("misconfigured", `The weights' folder cannot be read: ${error}`, { cause: error });
}
