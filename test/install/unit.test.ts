// The system service's unit, read by systemd's own tools: it is understood, closed as far as it goes, and leaves runners the calls they need.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./machine.ts";

const UNIT = join(ROOT, "config/forecourt.service");
const hasSystemd = Bun.which("systemd-analyze") !== null;

function analyze(...words: string[]) {
  const { exitCode, stdout, stderr } = Bun.spawnSync(["systemd-analyze", ...words], {
    env: { ...process.env, LC_ALL: "C" },
  });
  return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

/** What `verify` says of programs that are not on this machine is not about the unit. */
const isAboutThisMachine = (line: string) => /Command .* is not executable|No such file or directory/.test(line);

test.skipIf(!hasSystemd)("systemd understands every line", () => {
  const { stderr } = analyze("verify", UNIT);
  expect(stderr.split("\n").filter((line) => line !== "" && !isAboutThisMachine(line))).toEqual([]);
});

test.skipIf(!hasSystemd)("it is as closed as a server of cards can be", () => {
  const { exitCode, stdout } = analyze("security", "--offline=true", "--threshold=20", UNIT);
  const open = stdout.split("\n").filter((line) => line.startsWith("✗"));
  expect({ exitCode, open: exitCode === 0 ? [] : open }).toEqual({ exitCode: 0, open: [] });
});

/** Names of calls by their sets, as this machine's systemd has them. */
function callsOf(set: string): string[] {
  const lines = analyze("syscall-filter", set)
    .stdout.split("\n")
    .map((line) => line.trim());
  return lines
    .slice(1)
    .filter((line) => line !== "" && !line.startsWith("#"))
    .flatMap((name) => (name.startsWith("@") ? callsOf(name) : [name]));
}

test.skipIf(!hasSystemd)("runners may take the network from themselves, and do what their libraries do", () => {
  const filters = readFileSync(UNIT, "utf8").match(/(?<=^SystemCallFilter=).*$/gm) ?? [];
  const allowed = new Set<string>();
  for (const filter of filters) {
    const isDenied = filter.startsWith("~");
    const calls = filter
      .replace("~", "")
      .split(" ")
      .flatMap((each) => (each.startsWith("@") ? callsOf(each) : [each]));
    for (const call of calls)
      if (isDenied) allowed.delete(call);
      else allowed.add(call);
  }
  // `seccomp` was not among them, and every runner of a system service was ended by SIGSYS.
  for (const call of [
    "seccomp",
    "prctl",
    "socket",
    "sendto",
    "sched_setaffinity",
    "mbind",
    "execve",
    "memfd_create",
    "flock",
  ])
    expect({ call, isAllowed: allowed.has(call) }).toEqual({ call, isAllowed: true });
  for (const call of ["mount", "ptrace", "init_module", "setuid", "bpf"])
    expect({ call, isAllowed: allowed.has(call) }).toEqual({ call, isAllowed: false });
});
