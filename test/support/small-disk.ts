// A disk of its own for a test to fill: a real one, of a few megabytes. Needs the right to mount.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export type SmallDisk = {
  path: string;
  /** false: the system does not let us mount, and this is a folder of a disk that is not ours to fill. */
  isOwn: boolean;
  /** Why it is not. */
  why: string;
  /** Leaves no byte, or so many. */
  fill(left?: number): void;
  empty(): void;
  unmount(): void;
};

/** Makes the folder where needed. */
export function mountSmallDisk(path: string, megabytes: number): SmallDisk {
  mkdirSync(path, { recursive: true });
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m,mode=0700`, "tmpfs", path]);
  const isOwn = process.platform === "linux" && mounted.status === 0;
  const filler = join(path, "filler");
  return {
    path,
    isOwn,
    why: mounted.stderr?.toString().trim() || "there is no mount",
    fill(left = 0) {
      const { bavail, bsize } = statfsSync(path);
      try {
        writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - left)));
      } catch {
        // ENOSPC is what was wanted.
      }
    },
    empty: () => rmSync(filler, { force: true }),
    unmount: () => void (isOwn && spawnSync("umount", ["-l", path])),
  };
}
