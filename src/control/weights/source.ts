// Where a model's weights come from, as model files and `forecourt models pull` say it.
import type { Patterns } from "./patterns.ts";

/** A file whose size and content are known beforehand. */
export type PinnedFile = { path: string; bytes: number; sha256: string };

export type HubSource = Patterns & {
  /** `owner/name`. */
  repo: string;
  /** Commit, branch or tag. Default `main`. */
  revision?: string;
  /** Exactly these; then the patterns do not count and the Hub's listing is not asked for. */
  files?: readonly PinnedFile[];
};

export type UrlFile = {
  url: string;
  /** Its path in the folder; default: the URL's last segment. */
  path?: string;
  sha256: string;
  /** Default: what the server says. */
  bytes?: number;
};
export type UrlSource = { urls: readonly UrlFile[] };

/** A folder of this machine, used where it is. */
export type FolderSource = { path: string };

export type WeightsSource = HubSource | UrlSource | FolderSource;
