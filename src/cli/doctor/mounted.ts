// How the file system is mounted that a folder lies on (proc_pid_mountinfo(5)).
import { readFileSync, realpathSync } from "node:fs";

/** Whether no code may be loaded from there; `folder` must exist. */
export function forbidsCode(folder: string): boolean {
  const path = `${realpathSync(folder)}/`;
  const mounts = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .flatMap((line) => {
      const [, , , , at = "", options = ""] = line.split(" ");
      const point = at.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
      return path.startsWith(point === "/" ? "/" : `${point}/`) ? [{ point, options }] : [];
    });
  // Of those of one place the last lies on top.
  const [top] = mounts.reverse().toSorted((a, b) => b.point.length - a.point.length);
  return top?.options.split(",").includes("noexec") ?? false;
}
