// Updates that do not come up go back by themselves, others by `forecourt rollback`; a dry run tells all of it and does none.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  closeSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { migrationFiles } from "../../src/control/database/migrations.macro.ts" with { type: "macro" };
import { databaseFile, openDatabase } from "../../src/control/database/open.ts";
import { examineDatabase } from "../../src/control/database/snapshot.ts";
import { forecourt, freePort, isCompiled } from "../support/live-server.ts";
import { createMachine, type Machine } from "./machine.ts";

const MINUTES = 60_000;
const [binary = ""] = forecourt;
const MIGRATIONS = migrationFiles();
const older = MIGRATIONS.length - 1;

let machine: Machine;
beforeEach(() => {
  machine = createMachine();
});
afterEach(async () => {
  await machine.run(["sh"], ["./install.sh", "--user", "--uninstall"]);
  machine[Symbol.dispose]();
});

/** This version under another hash, which knows the schema before the newest one. It hears nothing of FORECOURT_HOST. */
function olderVersion(): string {
  const file = join(machine.home, "older");
  const told = JSON.stringify({ version: "0.0.9", commit: "abc1234", schema: older });
  const script = `#!/bin/sh
unset FORECOURT_HOST
if [ "$*" = "version --json" ]; then echo '${told}'; else exec "${binary}" "$@"; fi
`;
  writeFileSync(file, script, { mode: 0o755 });
  return file;
}

/** Another build, of which the installer knows when it runs: a byte of the ELF header that nothing reads (EI_PAD) differs. */
function otherBuild(): string {
  const file = join(machine.home, "other build");
  copyFileSync(binary, file);
  const descriptor = openSync(file, "r+");
  writeSync(descriptor, Buffer.from([1]), 0, 1, 15);
  closeSync(descriptor);
  return file;
}

const install = (words: string[], env?: Record<string, string>) =>
  machine.run(["dash"], ["./install.sh", "--user", ...words], env);

/** Every file with what would tell that it was changed. */
const seen = () =>
  readdirSync(machine.home, { recursive: true, encoding: "utf8" })
    .filter((name) => !/^std(out|err)$/.test(name))
    .map((name) => {
      const { mtimeMs, ino, size, mode } = lstatSync(join(machine.home, name));
      return [name, mtimeMs, ino, size, mode].join(" ");
    })
    .sort();

const oldDatabase = () => {
  mkdirSync(machine.data, { recursive: true, mode: 0o700 });
  openDatabase({ file: databaseFile(machine.data), migrations: MIGRATIONS.slice(0, older) })[Symbol.dispose]();
};

describe.skipIf(!isCompiled)("an update", () => {
  test(
    "that does not become ready is taken back, with the database, and the version before serves",
    async () => {
      oldDatabase();
      const words = ["--binary", olderVersion(), "--port", String(await freePort())];
      expect(await install([...words, "--no-start"])).toMatchObject({ exitCode: 0 });
      const before = readlinkSync(machine.link);
      // An address that this machine does not have: the newer version migrates and can't listen.
      const { exitCode, stdout, stderr } = await install(["--binary", binary, ...words.slice(2)], {
        FORECOURT_HOST: "203.0.113.1",
      });
      expect({ exitCode, stdout, stderr }).toMatchObject({
        exitCode: 1,
        stdout: expect.stringContaining("does not become ready: going back to the version before"),
        stderr: expect.stringContaining("the version before serves again"),
      });
      expect(stderr).toContain("203.0.113.1");
      expect(readlinkSync(machine.link)).toBe(before);
      const [kept = ""] = readdirSync(machine.data).filter((name) => name.startsWith("before-rollback-"));
      expect(examineDatabase(join(machine.data, kept, "forecourt.sqlite")).schema).toBe(older + 1);
      expect(existsSync(join(machine.data, "server.pid"))).toBe(true);
    },
    4 * MINUTES,
  );

  /** No model has room in it. */
  const noRoom = { FORECOURT_MEMORY_BUDGET_MB: "1" };

  test(
    "that becomes ready and draws nothing is taken back too",
    async () => {
      const words = ["--port", String(await freePort())];
      const first = await install(["--binary", otherBuild(), ...words]);
      expect(first).toMatchObject({ exitCode: 0 });
      const before = readlinkSync(machine.link);
      const { exitCode, stdout, stderr } = await install(["--binary", binary, ...words], noRoom);
      expect({ exitCode, stdout, stderr }).toMatchObject({
        exitCode: 1,
        stdout: expect.stringContaining("draws no picture: going back to the version before"),
        stderr: expect.stringMatching(/memory[\s\S]*draws no picture; the version before serves again/),
      });
      expect(readlinkSync(machine.link)).toBe(before);
      const pid = readFileSync(join(machine.data, "server.pid"), "utf8").trim();
      expect(readlinkSync(`/proc/${pid}/exe`)).toBe(realpathSync(before));
    },
    4 * MINUTES,
  );

  test(
    "that draws nothing stays where the version before drew nothing either",
    async () => {
      const words = ["--port", String(await freePort())];
      const first = await install(["--binary", otherBuild(), ...words], noRoom);
      expect(first).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("no picture came back") });
      const before = readlinkSync(machine.link);
      const { exitCode, stderr } = await install(["--binary", binary, ...words], noRoom);
      expect({ exitCode, stderr }).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining("no picture came back"),
      });
      expect(readlinkSync(machine.link)).not.toBe(before);
    },
    4 * MINUTES,
  );

  test(
    "is taken back by `forecourt rollback`: not while the server runs, and not unasked",
    async () => {
      oldDatabase();
      const port = String(await freePort());
      await install(["--binary", olderVersion(), "--port", port, "--no-start"]);
      const before = readlinkSync(machine.link);
      expect(await install(["--binary", binary])).toMatchObject({ exitCode: 0 });
      const rollback = (words: string[]) => machine.run([machine.link, "rollback", "--data", machine.data], words);
      const running = await rollback(["--yes"]);
      expect([running.exitCode, running.stderr]).toEqual([1, expect.stringContaining("Stop it")]);

      const pid = Number(readFileSync(join(machine.data, "server.pid"), "utf8"));
      process.kill(pid, "SIGTERM");
      while (existsSync(join(machine.data, "server.pid"))) await Bun.sleep(50);
      const unasked = await rollback([]);
      expect(unasked.exitCode).toBe(2);
      expect(unasked.stderr).toMatch(/back to 0\.0\.9 \(abc1234\)[\s\S]*Lost is .*\b2 keys\b[\s\S]*say --yes/);
      const asked = `printf 'n\\n' | script -qec '"${machine.link}" rollback --data "${machine.data}"' /dev/null`;
      const denied = await machine.run(["bash"], ["-c", asked]);
      expect(denied.exitCode).toBe(2);
      expect(denied.stdout).toMatch(/Go back\? \[y\/N\][\s\S]*Nothing was changed\./);
      expect(readlinkSync(machine.link)).not.toBe(before);

      const { exitCode, stdout, stderr } = await rollback(["--yes", "--json"]);
      expect(stderr).not.toContain("missing from the audit log");
      const facts = JSON.parse(stdout) as { kept: string };
      expect({ exitCode, facts }).toMatchObject({
        exitCode: 0,
        facts: { to: "0.0.9", database: { lost: { api_key: 2 } } },
      });
      expect(readlinkSync(machine.link)).toBe(before);
      // The act is written down in a database that the older version still reads.
      expect(examineDatabase(databaseFile(machine.data)).schema).toBe(older);
      const database = openDatabase({ file: databaseFile(machine.data), keepsSchema: true });
      expect(database.sqlite.query("SELECT action FROM audit_entry").values()).toEqual([["forecourt rollback"]]);
      database[Symbol.dispose]();
      expect(examineDatabase(join(facts.kept, "forecourt.sqlite")).schema).toBe(older + 1);
    },
    4 * MINUTES,
  );

  test(
    "leaves completions where shells look, and an uninstall takes them away",
    async () => {
      await install(["--binary", binary, "--no-start"]);
      const files = [
        "bash-completion/completions/forecourt",
        "zsh/site-functions/_forecourt",
        "fish/vendor_completions.d/forecourt.fish",
      ];
      const places = files.map((file) => join(machine.home, ".local/share", file));
      for (const place of places) expect(statSync(place).size).toBeGreaterThan(1000);
      await install(["--uninstall"]);
      expect(places.filter((place) => existsSync(place))).toEqual([]);
    },
    MINUTES,
  );
});

describe("a dry run changes nothing", () => {
  test("of a first installation, built or given", async () => {
    const given = olderVersion();
    const before = seen();
    for (const words of isCompiled ? [[], ["--binary", given]] : [[]]) {
      const { exitCode, stdout, stderr } = await install([...words, "--dry-run", "--port", String(await freePort())]);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
      expect(stdout).toEndWith("Nothing was changed.\n");
      expect(stdout).toContain(`would make a key and write it to ${machine.data}/client.key`);
      expect(stdout).toMatch(/would run: .*serve --data/);
      expect(stdout).toContain(words.length > 0 ? "would run: mv -f" : "Would build the executable");
      expect(seen()).toEqual(before);
    }
  });

  test.skipIf(!isCompiled)(
    "of an update and of an uninstall",
    async () => {
      const older = olderVersion();
      await install(["--binary", older, "--no-start"]);
      const before = seen();
      const update = await install(["--binary", binary, "--no-start", "--dry-run"]);
      expect(update).toMatchObject({ exitCode: 0, stderr: "" });
      expect(update.stdout).toMatch(/would run: mv -f (.*\/bin\/forecourt)\.\d+ \1\n/);
      expect(seen()).toEqual(before);
      for (const words of [[], ["--purge"]]) {
        const { exitCode, stdout } = await install(["--uninstall", ...words, "--dry-run"]);
        expect([exitCode, stdout]).toEqual([0, expect.stringContaining(`would run: rm -f ${machine.link}\n`)]);
        expect(stdout).toContain("Nothing was changed.");
      }
      expect(seen()).toEqual(before);
    },
    MINUTES,
  );

  test("refusals are the same", async () => {
    machine.tool("uname", 'case "$1" in -s) echo Darwin ;; *) echo arm64 ;; esac');
    expect(await install(["--dry-run"])).toMatchObject({ exitCode: 3, stderr: expect.stringContaining("Darwin") });
  });
});
