// Help, usage errors and exit codes of the command line as a whole.
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { forecourt, newFolder, removeFolders } from "./command.ts";
import { dataWithTinyModel } from "./tiny-model.ts";

// Each call of the command line is a process of its own; on a busy machine some take seconds.
setDefaultTimeout(60_000);
afterAll(removeFolders);

const commands = ["serve", "run", "models", "keys", "ps", "doctor", "bench", "version"];

test("the help lists every command, on stdout, as a success", async () => {
  const { exitCode, stdout, stderr } = await forecourt(["--help"]);
  expect(exitCode).toBe(0);
  expect(stderr).toBe("");
  for (const command of commands) expect(stdout).toContain(`\n  ${command} `);
});

test("the hidden runner command is not in the help", async () => {
  expect((await forecourt(["--help"])).stdout).not.toContain("runner");
});

test("every command explains itself, in a sentence at least", async () => {
  const explained: string[] = [];
  const explain = async (path: string[]): Promise<void> => {
    const { exitCode, stdout } = await forecourt([...path, "--help"]);
    expect({ path, exitCode }).toEqual({ path, exitCode: 0 });
    expect(stdout).toStartWith(["Usage: forecourt", ...path, ""].join(" "));
    const [, description = ""] = stdout.split("\n\n");
    if (path.length > 0)
      expect({ path, description }).toEqual({ path, description: expect.stringMatching(/^[A-Z].*\.$/s) });
    explained.push(path.join(" "));
    const listed = /\nCommands:\n(.*)/s.exec(stdout)?.[1] ?? "";
    const names = [...listed.matchAll(/^ {2}(\w+)/gm)].map(([, name = ""]) => name).filter((name) => name !== "help");
    await Promise.all(names.map((name) => explain([...path, name])));
  };
  await explain([]);
  expect(explained).toContain("runtime packages");
});

describe("wrong usage ends with 2 and one line that leads to the help", () => {
  const cases: Record<string, { words: string[]; says: string }> = {
    "an unknown command": { words: ["sevre"], says: "unknown command 'sevre'" },
    "help on an unknown command": { words: ["help", "sevre"], says: "unknown command 'sevre'" },
    "an unknown subcommand": { words: ["keys", "crate"], says: "unknown command 'crate'" },
    "an unknown option": { words: ["models", "list", "--jsn"], says: "unknown option '--jsn'" },
    "a missing argument": { words: ["models", "show"], says: "missing required argument 'model'" },
    "a missing option": { words: ["keys", "create"], says: "required option '--name <name>' not specified" },
    "a value outside its list": {
      words: ["keys", "create", "--name", "x", "--scope", "root"],
      says: "Allowed choices are",
    },
  };
  for (const [name, { words, says }] of Object.entries(cases))
    test(name, async () => {
      const { exitCode, stdout, stderr } = await forecourt(words);
      expect(exitCode).toBe(2);
      expect(stdout).toBe("");
      expect(stderr).toStartWith("forecourt: ");
      expect(stderr).toContain(says);
      expect(stderr).toContain("--help");
    });
});

test("a wrong setting is one sentence that names where it comes from", async () => {
  const { exitCode, stderr } = await forecourt(["models", "list"], { FORECOURT_PORT: "70000" });
  expect(exitCode).toBe(1);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect(stderr).toContain("FORECOURT_PORT");
});

test("a flag's wrong value is wrong usage", async () => {
  const { exitCode, stderr } = await forecourt(["ps", "--port", "70000"]);
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining("Setting port is 70000 (from --port)")]);
});

test("what the system refuses is told with the way out, before a run and not after it", async () => {
  const file = join(newFolder(), "file");
  await Bun.write(file, "");
  const words = ["run", "forecourt/echo", "prompt=hi", "--output", join(file, "folder"), "--data", newFolder()];
  const { exitCode, stdout, stderr } = await forecourt(words);
  expect([exitCode, stdout, stderr]).toEqual([
    1,
    "",
    expect.stringMatching(/^forecourt: .*folder'\. Name another place\.\n$/),
  ]);
});

test("a reader that leaves early is no failure", async () => {
  const shell = Bun.spawn(["sh", "-c", `"${process.execPath}" src/main.ts --help | true`], {
    cwd: `${import.meta.dir}/../..`,
    stdout: "pipe",
    stderr: "pipe",
  });
  expect(await new Response(shell.stderr).text()).toBe("");
  await shell.exited;
});

/** With `$@` as the command. */
async function inShell(script: string, words: string[]): Promise<{ stdout: string; stderr: string }> {
  const shell = Bun.spawn(["sh", "-c", script, "sh", process.execPath, "src/main.ts", ...words], {
    cwd: `${import.meta.dir}/../..`,
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([new Response(shell.stdout).text(), new Response(shell.stderr).text()]);
  await shell.exited;
  return { stdout, stderr };
}

test("a slow reader gets all of what is printed, not what fits the pipe", async () => {
  const data = dataWithTinyModel();
  const file = join(data, "models", "tiny.yaml");
  // Every line of the table is as wide as the longest id.
  const id = `test/${"x".repeat(20_000)}`;
  writeFileSync(file, readFileSync(file, "utf8").replace("id: test/tiny", `id: ${id}`));
  const notes = join(data, "notes");
  // Nothing is read before the command has said its last word, on the other channel.
  const script = `mkfifo ${notes}; "$@" 2>${notes} | { head -n 1 <${notes} >/dev/null; cat; }`;
  const { stdout } = await inShell(script, ["models", "list", "--data", data]);
  expect(stdout.length).toBeGreaterThan(1_000_000);
  expect([stdout.includes(`\n${id} `), stdout.at(-1)]).toEqual([true, "\n"]);
});

for (const words of [["models", "list", "--json"], ["--help"]])
  test(`output that cannot be written is a failure in one line: ${words.join(" ")}`, async () => {
    const { stdout, stderr } = await inShell('"$@" >/dev/full; echo $?', words);
    const lines = stderr.split("\n").filter((line) => line !== "" && !line.includes("not on this disk"));
    expect([stdout, lines]).toEqual(["1\n", [expect.stringMatching(/^forecourt: the output could not be .*ENOSPC/)]]);
  });

test("version tells the number, for people and for programs", async () => {
  const { version } = await import("../../package.json");
  expect((await forecourt(["version"])).stdout).toStartWith(`forecourt ${version} (`);
  expect((await forecourt(["--version"])).stdout).toStartWith(`forecourt ${version} (`);
  expect(JSON.parse((await forecourt(["version", "--json"])).stdout)).toMatchObject({ version, bun: Bun.version });
});

test("help and version need no data directory and make none", async () => {
  const data = join(newFolder(), "absent");
  for (const words of [["version"], ["help", "serve"], ["models", "list"]]) {
    expect((await forecourt(words, { FORECOURT_DATA: data })).exitCode).toBe(0);
  }
  expect(existsSync(data)).toBe(false);
});
