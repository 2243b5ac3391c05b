// What is known of a Hub repository before any of its weights are fetched: its listing and its small configs.
import { ForecourtError } from "../../../core/errors.ts";
import { parsePythonJson } from "../../../core/python-json.ts";
import { fetchSmall } from "../../weights/fetch-small.ts";
import type { Hub, HubFile } from "../../weights/hub.ts";
import type { Web } from "../../weights/transfer/web.ts";

export type Repository = {
  /** `owner/name`. */
  repo: string;
  commit: string;
  /** As its card names it. */
  licence?: string;
  /** In the Hub's order. */
  files: readonly { path: string; bytes: number }[];
  /** Parsed JSON by path, of the files below that exist. */
  configs: Readonly<Record<string, unknown>>;
};

/** Where repositories say what they are. */
const CONFIGS = [
  "model_index.json",
  "config.json",
  "unet/config.json",
  "vae/config.json",
  "vae_decoder/config.json",
  "scheduler/scheduler_config.json",
];

/** A config that is larger is none. */
const MOST_CONFIG_BYTES = 1024 * 1024;

export type HubTools = { hub: Hub; web: Web; signal: AbortSignal };

/** `listing` has the hashes too. Throws hub.ts's errors, and `weights_missing` for a config that is not JSON. */
export async function readRepository(
  { repo, revision }: { repo: string; revision: string },
  tools: HubTools,
): Promise<{ repository: Repository; listing: HubFile[] }> {
  const { hub, signal } = tools;
  const { commit, licence, tags } = await hub.revision(repo, revision, signal);
  const listing = await hub.files(repo, commit, signal);
  const configs: Record<string, unknown> = {};
  for (const file of listing)
    if (CONFIGS.includes(file.path) && file.bytes <= MOST_CONFIG_BYTES)
      configs[file.path] = parseJson(await fetchSmall({ repo, commit, file }, tools), `${repo}: ${file.path}`);
  const known = licence ?? licenceTag(tags);
  const files = listing.map(({ path, bytes }) => ({ path, bytes }));
  return { repository: { repo, commit, files, configs, ...(known && { licence: known }) }, listing };
}

const licenceTag = (tags: readonly string[]) =>
  tags.find((tag) => tag.startsWith("license:"))?.slice("license:".length);

function parseJson(bytes: Uint8Array, name: string): unknown {
  try {
    return parsePythonJson(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new ForecourtError("weights_missing", `${name} is not JSON.`, { cause: error });
  }
}
