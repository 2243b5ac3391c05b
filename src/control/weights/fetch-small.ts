// The bytes of a repository's small files (configs, vocabularies), checked, without a place on the disk.

import { foregroundTimers } from "../../core/wait.ts";
import { createHasher } from "./disk/digest.ts";
import type { Hub, HubFile } from "./hub.ts";
import { passing, persist } from "./transfer/patience.ts";
import type { Web } from "./transfer/web.ts";

export type SmallFile = { repo: string; commit: string; file: HubFile };

/** Held in memory as a whole. Throws hub-failure.ts's errors, and `unavailable` when the right bytes do not come. */
export function fetchSmall(
  { repo, commit, file: { path, digest } }: SmallFile,
  { hub, web, signal }: { hub: Hub; web: Web; signal: AbortSignal },
): Promise<Uint8Array> {
  return persist(
    async () => {
      const { response } = await web.get(hub.url(repo, commit, path), { signal });
      if (!response.ok) throw await hub.explain({ repo, revision: commit, path })(response);
      const bytes = await response.bytes().catch((error: unknown) => {
        signal.throwIfAborted();
        throw passing(`${repo}: the connection was lost in ${path}.`, { cause: error });
      });
      const hash = createHasher(digest.algorithm, bytes.byteLength).update(bytes).digest("hex");
      if (hash !== digest.hex) throw passing(`${repo}: ${path} came with other bytes than its listing promises.`);
      return bytes;
    },
    { timers: foregroundTimers, signal },
  );
}
