// A pretended machine for the installer: a home of its own, a bare environment, a PATH that tests can put tools in.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const ROOT = resolve(import.meta.dir, "../..");

export type Ended = { exitCode: number; stdout: string; stderr: string };

const SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin";

export type Machine = {
  home: string;
  data: string;
  link: string;
  /** Puts a program before all others. */
  tool(name: string, script: string): void;
  /** Hides every program but these. */
  onlyTools(names: string[]): void;
  /** Runs a script of the checkout under a shell, e.g. `["dash"]` or `["busybox", "ash"]`. */
  run(shell: string[], words: string[], env?: Record<string, string>): Promise<Ended>;
  [Symbol.dispose](): void;
};

export function createMachine(): Machine {
  const folder = mkdtempSync(join(tmpdir(), "forecourt-home-"));
  // As home directories are: on another disk, with a link to it, and of any name.
  const home = join(folder, "home of mine");
  mkdirSync(join(folder, "disk"));
  symlinkSync("disk", home);
  const tools = join(home, "tools");
  mkdirSync(tools);
  let path = `${tools}:${SYSTEM_PATH}`;
  // A script of its own for each tool, never a link: what is written here must not reach the machine's own programs.
  const put = (name: string, script: string) => {
    rmSync(join(tools, name), { force: true });
    writeFileSync(join(tools, name), `#!/bin/sh\n${script}\n`, { mode: 0o755, flag: "wx" });
  };
  return {
    home,
    data: join(home, ".local/share/forecourt"),
    link: join(home, ".local/bin/forecourt"),
    tool: put,
    onlyTools(names) {
      const has = readdirSync(tools);
      for (const name of names.filter((each) => !has.includes(each))) {
        const found = Bun.which(name, { PATH: SYSTEM_PATH });
        if (found) put(name, `exec ${found} "$@"`);
      }
      path = tools;
    },
    async run(shell, words, env = {}) {
      const [program = "sh", ...rest] = shell;
      // Bun writes over what is in a file and leaves the rest of it.
      for (const name of ["stdout", "stderr"]) rmSync(join(home, name), { force: true });
      const child = Bun.spawn([Bun.which(program) ?? program, ...rest, ...words], {
        cwd: ROOT,
        // Certificates of the caller's network, where it has its own.
        env: { HOME: home, PATH: path, ...inherited("NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE", "SSL_CERT_FILE"), ...env },
        stdin: "ignore",
        stdout: Bun.file(join(home, "stdout")),
        stderr: Bun.file(join(home, "stderr")),
      });
      // Files, not pipes: the server that the installer leaves behind would keep a pipe open.
      const exitCode = await child.exited;
      return {
        exitCode,
        stdout: await Bun.file(join(home, "stdout")).text(),
        stderr: await Bun.file(join(home, "stderr")).text(),
      };
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const inherited = (...names: string[]) =>
  Object.fromEntries(names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
