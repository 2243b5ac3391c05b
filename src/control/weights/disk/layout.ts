// Where weights lie: the Hub cache's layout (models--O--N/{blobs,refs,snapshots}), shared with Hugging Face's own tools.
import { join } from "node:path";
import { ForecourtError } from "../../../core/errors.ts";

export const weightsRoot = (data: string) => join(data, "weights");

export type RepoFolder = {
  path: string;
  blobs: string;
  snapshots: string;
  refs: string;
  /** Ours alone: which files were asked for. Hugging Face's tools pass over it. */
  plans: string;
};

/** `name` is `models--owner--name`, or `urls--...` for files of plain URLs. */
export function repoFolder(root: string, name: string): RepoFolder {
  const path = join(root, name);
  return {
    path,
    blobs: join(path, "blobs"),
    snapshots: join(path, "snapshots"),
    refs: join(path, "refs"),
    plans: join(path, ".forecourt"),
  };
}

export const folderNameOf = (repo: string) => `models--${checkedRepo(repo).replaceAll("/", "--")}`;
/** The reverse; an owner or name that contains `--` itself cannot be told apart, as in Hugging Face's tools. */
export const repoOfFolder = (name: string) => name.replace(/^models--/, "").replace("--", "/");

/** Beside the repositories, so that a lock outlives the removal of what it guards. */
export const lockPath = (root: string, name: string) => join(root, ".locks", `${name}.lock`);

/** `owner/name`, or one word for the Hub's oldest repositories. Throws `misconfigured`. */
export function checkedRepo(repo: string): string {
  const parts = repo.split("/");
  const isGood = parts.length <= 2 && parts.every((part) => /^[\w.-]+$/.test(part) && !/^\.+$/.test(part));
  if (!isGood) throw new ForecourtError("misconfigured", `${repo} is not a Hub repository such as owner/name.`);
  return repo;
}

/**
 * A file's path inside a repository, as listings of strangers give it. Throws `weights_missing` for one that could leave
 * the folder or hide in it.
 */
export function checkedPath(path: string): string {
  const parts = path.split("/");
  const isGood = !/\p{Cc}/u.test(path) && parts.every((part) => part !== "" && part !== "." && part !== "..");
  if (isGood) return path;
  throw new ForecourtError(
    "weights_missing",
    `${JSON.stringify(path)} is not a safe path for a file; nothing is fetched.`,
    {
      details: { reason: "unsafe_path" },
    },
  );
}

export const isCommit = (revision: string) => /^[0-9a-f]{40}$/.test(revision);
