// A machine under a real systemd, in namespaces, with a system that is this one's until something is written to it. Needs root.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { childrenOf, forecourt, until } from "../support/live-server.ts";
import { ROOT } from "./machine.ts";

export type SystemdMachine = {
  /** Runs a command there; its words are not a shell's. */
  run(...words: string[]): { exitCode: number; stdout: string; stderr: string };
  /** A property of a unit, as `systemctl show` has it. */
  property(unit: string, name: string): string;
  [Symbol.asyncDispose](): Promise<void>;
};

/** The checkout and the program there. */
export const CHECKOUT = "/opt/checkout";
export const PROGRAM = "/opt/forecourt";

/** A string says why there can be none here. */
export async function bootMachine(): Promise<SystemdMachine | string> {
  const group = unifiedGroup();
  if (group === undefined) return "there are no control groups of version 2 that may be written";
  const folder = mkdtempSync(join(tmpdir(), "forecourt-systemd-"));
  const [binary = ""] = forecourt;
  const [script, output] = [
    join(import.meta.dir, "boot-machine.sh"),
    join(folder, "..", `${folder.split("/").at(-1)}.log`),
  ];
  // Into the control group first, whose root is the machine's.
  const boot = `echo $$ >"$1/cgroup.procs" && shift && exec unshare -pfmC --mount-proc --propagation private sh "$@"`;
  const child = Bun.spawn(["sh", "-c", boot, "sh", group, script, folder, ROOT, binary], {
    stdin: "ignore",
    stdout: Bun.file(output),
    stderr: Bun.file(output),
  });
  const end = async () => {
    for (const pid of await childrenOf(child.pid)) process.kill(pid, "SIGKILL");
    child.kill("SIGKILL");
    await child.exited;
    await until(async () => isRemoved(group), "its control groups are empty");
    rmSync(folder, { recursive: true, force: true });
    rmSync(output, { force: true });
  };
  const run = (init: number, words: string[]) => {
    const inside = ["nsenter", "-t", String(init), "-m", "-p", "-C", "-r", "-w"];
    const env = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/root" };
    const { exitCode, stdout, stderr } = Bun.spawnSync([...inside, ...words], { env });
    return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
  };
  let init = 0;
  const isUp = async () => {
    [init = 0] = await childrenOf(child.pid);
    // Before systemd is there it takes the root for one that was only changed to, and ends with 0 for that.
    const isActive = () => run(init, ["systemctl", "is-active", "boot.target"]).stdout.trim() === "active";
    return child.exitCode !== null || (init > 0 && isActive());
  };
  await until(isUp, "systemd runs", 60_000).catch(() => {});
  if (child.exitCode !== null || init === 0) {
    const reason = readFileSync(output, "utf8").trim();
    await end();
    return reason || "systemd does not start";
  }
  return {
    run: (...words) => run(init, words),
    property: (unit, name) => run(init, ["systemctl", "show", unit, "--value", "-p", name]).stdout.trim(),
    [Symbol.asyncDispose]: end,
  };
}

/** A new one, of the hierarchy that systemd takes for its own; undefined where there is none, or it is not ours. */
function unifiedGroup(): string | undefined {
  for (const root of ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]) {
    const group = join(root, `forecourt-test-${process.pid}`);
    try {
      readFileSync(join(root, "cgroup.procs"));
      readFileSync(join(root, "cgroup.controllers"));
      mkdirSync(group);
      return group;
    } catch {
      // It is not of version 2, or may not be written.
    }
  }
  return undefined;
}

function isRemoved(group: string): boolean {
  try {
    for (const entry of readdirSync(group, { withFileTypes: true }))
      if (entry.isDirectory() && !isRemoved(join(group, entry.name))) return false;
    rmdirSync(group);
    return true;
  } catch {
    return false; // something in it still ends
  }
}
