// What `forecourt completions` prints, read by the shells themselves: each completes a line as it would for its user.
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { forecourt, newFolder, removeFolders } from "./command.ts";

setDefaultTimeout(60_000);
afterAll(removeFolders);

const MAIN = resolve(import.meta.dir, "../../src/main.ts");

/** A folder with a file and a folder of its own, the script of the shell, and the program under its name. */
async function place(script: string) {
  const folder = newFolder();
  writeFileSync(join(folder, "script"), script);
  writeFileSync(join(folder, "box.tar"), "");
  mkdirSync(join(folder, "boxes"));
  mkdirSync(join(folder, "bin"));
  writeFileSync(join(folder, "bin", "forecourt"), `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`, {
    mode: 0o755,
  });
  return folder;
}

async function output(folder: string, command: string[]): Promise<string> {
  const child = Bun.spawn(command, {
    cwd: folder,
    env: {
      ...process.env,
      HOME: folder,
      XDG_CONFIG_HOME: folder,
      PATH: `${folder}/bin:${process.env.PATH}`,
      TERM: "dumb",
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  return await new Response(child.stdout).text();
}

/** As readline does: words parted at `=` too. */
const inBash = (line: string) => `
  . ./script
  COMP_LINE=${JSON.stringify(line)}
  COMP_WORDS=(${line
    .replaceAll("=", " = ")
    .split(" ")
    .map((word) => JSON.stringify(word))
    .join(" ")})
  COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
  $(complete -p forecourt | sed 's/.*-F \\([^ ]*\\).*/\\1/')
  printf '%s\\n' "\${COMPREPLY[@]}"`;

/** zsh completes at its prompt only, so it is given a terminal; what it lists is what it would add. */
const inZsh = (line: string) => `
  zmodload zsh/zpty
  zpty shell zsh -f -i
  zpty -w shell 'PS1=; autoload -Uz compinit; compinit -u -D; . ./script'
  zpty -w shell 'compadd() { local -a found; builtin compadd -O found "$@"; print -rl -- $found >>./found; builtin compadd "$@" }'
  zpty -w shell 'finish() { print done >>./found }; complete-then-finish() { zle complete-word; finish }; zle -N complete-then-finish; bindkey "^X" complete-then-finish; print ready >ready'
  until [[ -e ready ]]; do zpty -r -t shell ignored; sleep 0.02; done
  zpty -w -n shell ${JSON.stringify(line)}$'\\x18'
  until grep -qx done found 2>/dev/null; do zpty -r -t shell ignored; sleep 0.02; done
  grep -vx done found`;

const SHELLS: Record<string, (line: string) => string[]> = {
  bash: (line) => ["bash", "--norc", "-c", inBash(line)],
  zsh: (line) => ["zsh", "-f", "-c", inZsh(line)],
  fish: (line) => ["fish", "--no-config", "-c", `source script; complete -C ${JSON.stringify(line)}`],
};

for (const [shell, commandFor] of Object.entries(SHELLS))
  describe.skipIf(Bun.which(shell) === null)(shell, async () => {
    const { stdout: script } = await forecourt(["completions", shell]);
    const complete = async (line: string) => {
      const folder = await place(script);
      const lines = (await output(folder, commandFor(line))).split("\n");
      // zsh looks twice where it finds nothing that begins so exactly.
      return [...new Set(lines.map((each) => each.split("\t")[0]?.replace(/\/$/, "")))].filter((word) => word !== "");
    };

    test("commands, and those below them", async () => {
      const top = await complete("forecourt ");
      for (const name of ["serve", "keys", "rollback", "completions", "help"]) expect(top).toContain(name);
      expect(top).not.toContain("runner");
      expect(await complete("forecourt ro")).toEqual(["rollback"]);
      const keys = await complete("forecourt keys ");
      for (const name of ["create", "revoke"]) expect(keys).toContain(name);
      expect(keys).not.toContain("serve");
      expect(await complete("forecourt keys --json cr")).toEqual(["create"]);
    });

    test("options of the command that the line has come to, and of no other", async () => {
      const options = await complete("forecourt keys create --");
      for (const name of ["--scope", "--budget", "--data"]) expect(options).toContain(name);
      expect(options).not.toContain("--yes");
      expect(await complete("forecourt rollback --y")).toEqual(["--yes"]);
    });

    test("values of options that have a list, apart or after an equals sign", async () => {
      expect((await complete("forecourt keys create --scope ")).sort()).toEqual(["admin", "api", "metrics"]);
      expect(await complete("forecourt keys create --name keys --scope ad")).toEqual(["admin"]);
      const [after = ""] = await complete("forecourt keys create --scope=ad");
      expect(after).toMatch(/^(--scope=)?admin$/);
      expect((await complete("forecourt completions ")).sort()).toEqual(["bash", "fish", "zsh"]);
    });

    test("files where a file belongs, folders where a folder does", async () => {
      const files = await complete("forecourt restore box");
      expect(files.sort()).toEqual(["box.tar", "boxes"]);
      expect(await complete("forecourt ps --data box")).toEqual(["boxes"]);
    });

    test("models of this box by their ids, after the file of an export", async () => {
      expect(await complete("forecourt run spotify/ba")).toEqual(["spotify/basic-pitch"]);
      expect(await complete("forecourt models export box")).toContain("box.tar");
      expect(await complete("forecourt models export box.tar spotify/ba")).toEqual(["spotify/basic-pitch"]);
    });
  });

test("another shell is refused with those that there are", async () => {
  const { exitCode, stderr } = await forecourt(["completions", "tcsh"]);
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining("bash, zsh, fish")]);
});
