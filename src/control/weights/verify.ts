// Hashes weights again: is every file still what it was when it came?
import { realpath, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { ForecourtError } from "../../core/errors.ts";
import { tryFileLock } from "../database/file-lock.ts";
import { type Digest, digestOfName, hashFile } from "./disk/digest.ts";
import { lockPath, repoFolder, weightsRoot } from "./disk/layout.ts";
import { sizeOnDisk } from "./disk/snapshot.ts";
import { filesBelow, type StoredWeights } from "./library.ts";
import { recallAll } from "./plan/plan.ts";

export type VerifiedFile = {
  path: string;
  bytes: number;
  /** `unknown`: nothing tells what its content should be (a plain file in a snapshot, not a link to a named blob). */
  state: "right" | "damaged" | "missing" | "unknown";
};

type Expected = { path: string; bytes?: number; digest?: Digest };

/** Reads every byte. `onProgress` gets the bytes of the present file; the signal's reason is thrown. */
export async function verifyWeights(given: {
  weights: StoredWeights;
  signal?: AbortSignal;
  onProgress?: (progress: { path: string; at: number; of: number }) => void;
}): Promise<VerifiedFile[]> {
  const { weights, signal, onProgress } = given;
  const results: VerifiedFile[] = [];
  for (const file of await expectedFiles(weights)) {
    const size = await sizeOnDisk(join(weights.folder, file.path));
    const bytes = file.bytes ?? size ?? 0;
    const state = await stateOf(join(weights.folder, file.path), file, size, {
      ...(signal && { signal }),
      onProgress: (at) => onProgress?.({ path: file.path, at, of: bytes }),
    });
    results.push({ path: file.path, bytes, state });
  }
  return results;
}

async function stateOf(
  path: string,
  { bytes, digest }: Expected,
  size: number | undefined,
  reading: { signal?: AbortSignal; onProgress: (at: number) => void },
): Promise<VerifiedFile["state"]> {
  if (size === undefined) return "missing";
  if (bytes !== undefined && size !== bytes) return "damaged";
  if (!digest) return "unknown";
  return (await hashFile(path, digest.algorithm, reading)) === digest.hex ? "right" : "damaged";
}

/** What was asked for; for others' caches, every file that is there, by its blob's name. */
async function expectedFiles({ root, folderName, commit, folder }: StoredWeights): Promise<Expected[]> {
  const plan = await recallAll(repoFolder(root, folderName), commit);
  if (plan) return plan.files;
  return Promise.all(
    (await filesBelow(folder)).map(async (path) => {
      const digest = await realpath(join(folder, path)).then(
        (blob) => digestOfName(basename(blob)),
        () => undefined, // a link into nothing: it is counted as missing
      );
      return { path, ...(digest && { digest }) };
    }),
  );
}

/**
 * Removes the blobs of damaged files, so that the next `pull` fetches just these. Throws `bad_request` for others' caches,
 * `unavailable` while the weights are being fetched.
 */
export async function discardDamaged(given: {
  data: string;
  weights: StoredWeights;
  files: readonly VerifiedFile[];
}): Promise<void> {
  const { weights } = given;
  const root = weightsRoot(given.data);
  if (weights.root !== root)
    throw new ForecourtError("bad_request", `${weights.folder} belongs to Hugging Face's tools and is not changed.`);
  using lock = tryFileLock(lockPath(root, weights.folderName));
  if (!lock)
    throw new ForecourtError("unavailable", `${weights.title} is being fetched.`, { details: { reason: "busy" } });
  for (const { path } of given.files.filter(({ state }) => state === "damaged"))
    await rm(await realpath(join(weights.folder, path)), { force: true });
}
