// A pretended machine for the installer: a home of its own, a bare environment, a PATH that tests can put tools in.
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const ROOT = resolve(import.meta.dir, "../..");

export type Ended = { exitCode: number; stdout: string; stderr: string };

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
};

export function createMachine(): Machine {
  const home = mkdtempSync(join(tmpdir(), "forecourt-home-"));
  const tools = join(home, "tools");
  mkdirSync(tools);
  let path = `${tools}:/usr/local/bin:/usr/bin:/bin`;
  return {
    home,
    data: join(home, ".local/share/forecourt"),
    link: join(home, ".local/bin/forecourt"),
    tool(name, script) {
      writeFileSync(join(tools, name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(tools, name), 0o755);
    },
    onlyTools(names) {
      const has = readdirSync(tools);
      for (const name of names.filter((each) => !has.includes(each))) {
        const found = Bun.which(name, { PATH: "/usr/local/bin:/usr/bin:/bin" });
        if (found) symlinkSync(found, join(tools, name));
      }
      path = tools;
    },
    async run(shell, words, env = {}) {
      const [program = "sh", ...rest] = shell;
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
  };
}

const inherited = (...names: string[]) =>
  Object.fromEntries(names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
