// How long this machine has been up, its sleep included: Linux counts it evenly, however its clock is set, and tells each start apart.
import { readFileSync } from "node:fs";

/** `boot` is another one after each start of the machine. Undefined where the system does not tell. */
export type ReadUptime = () => { boot: string; ms: number } | undefined;

export function createUptime(proc = "/proc"): ReadUptime {
  const read = (name: string) => {
    try {
      return readFileSync(`${proc}/${name}`, "utf8").trim();
    } catch {
      return ""; // other systems have no such files
    }
  };
  const boot = read("sys/kernel/random/boot_id");
  return () => {
    const seconds = Number.parseFloat(read("uptime"));
    return boot === "" || Number.isNaN(seconds) ? undefined : { boot, ms: Math.round(seconds * 1000) };
  };
}
