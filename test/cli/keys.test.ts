// `forecourt keys` on a real database.

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { $ } from "bun";
import { createAudit } from "../../src/control/audit/audit.ts";
import { databaseFile, openDatabase } from "../../src/control/database/open.ts";
import { createKeys } from "../../src/control/keys/keys.ts";
import { systemClock } from "../../src/core/clock.ts";
import { forecourt, newFolder, removeFolders } from "./command.ts";

// Each call of the command line is a process of its own; on a busy machine some take seconds.
setDefaultTimeout(60_000);
afterAll(removeFolders);

const keysOf = (data: string) =>
  createKeys({ database: openDatabase({ file: databaseFile(data) }), clock: systemClock });

test("a made key is printed alone on stdout, works, and is stored nowhere in clear", async () => {
  const data = newFolder();
  const { exitCode, stdout, stderr } = await forecourt(["keys", "create", "--name", "ann", "--data", data]);
  expect(exitCode).toBe(0);
  expect(keysOf(data).verify(stdout.trim())).toMatchObject({ name: "ann", scope: "api" });
  const secret = stdout.trim().split(":")[1] ?? "";
  expect(stderr).not.toContain(secret);
  expect(await Bun.file(databaseFile(data)).text()).not.toContain(secret);
});

test("--json gives the key's parts, with its scope and its end", async () => {
  const data = newFolder();
  const words = ["keys", "create", "--name", "ci", "--scope", "metrics", "--expires", "30d", "--json", "--data", data];
  const made = JSON.parse((await forecourt(words)).stdout);
  expect(made).toMatchObject({ name: "ci", scope: "metrics", state: "active", revoked_at: null });
  expect(made.key).toStartWith(`${made.id}:`);
  expect(Date.parse(made.expires_at) - Date.parse(made.created_at)).toBeCloseTo(30 * 86_400_000, -5);
});

test("a revoked key is refused from then on and stays in the list", async () => {
  const data = newFolder();
  const secret = (await forecourt(["keys", "create", "--name", "bob", "--data", data])).stdout.trim();
  expect((await forecourt(["keys", "revoke", "bob", "--data", data])).exitCode).toBe(0);
  expect(() => keysOf(data).verify(secret)).toThrow("revoked");
  const list = JSON.parse((await forecourt(["keys", "list", "--json", "--data", data])).stdout);
  expect(list).toMatchObject([{ name: "bob", state: "revoked" }]);
  expect(JSON.stringify(list)).not.toContain(secret.split(":")[1] ?? "");
});

test("revoking a key that is not there says so", async () => {
  const data = newFolder();
  await forecourt(["keys", "create", "--name", "x", "--data", data]);
  const { exitCode, stderr } = await forecourt(["keys", "revoke", "nobody", "--data", data]);
  expect(exitCode).toBe(1);
  expect(stderr).toBe("forecourt: There is no key nobody; see `forecourt keys list`.\n");
});

test("listing where nothing is fails and leaves nothing behind", async () => {
  const data = join(newFolder(), "absent");
  const { exitCode, stderr } = await forecourt(["keys", "list", "--data", data]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain("forecourt serve");
  expect(existsSync(data)).toBe(false);
});

test("a duration without a unit is wrong usage and makes no key", async () => {
  const data = newFolder();
  const { exitCode, stderr } = await forecourt(["keys", "create", "--name", "x", "--expires", "30", "--data", data]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain("30d");
  expect(existsSync(databaseFile(data))).toBe(false);
});

test("every change by command is in the audit log, refused ones too, looking is not", async () => {
  const data = newFolder();
  const at = ["--data", data];
  await forecourt(["keys", "create", "--name", "ann", "--scope", "admin", ...at], { USER: "somebody-else" });
  await forecourt(["keys", "list", ...at]);
  await forecourt(["keys", "revoke", "ann", ...at]);
  await forecourt(["keys", "revoke", "nobody", ...at]);
  using database = openDatabase({ file: databaseFile(data) });
  const entries = createAudit({ database, clock: systemClock }).list({ limit: 10 });
  expect(entries.map(({ action, outcome, code }) => [action, outcome, code])).toEqual([
    ["forecourt keys revoke", "failed", 1],
    ["forecourt keys revoke", "done", 0],
    ["forecourt keys create", "done", 0],
  ]);
  expect(entries.at(-1)).toMatchObject({
    actor: `os:${await $`id -un`.text()}`.trim(),
    origin: hostname(),
    details: { name: "ann", scope: "admin" },
  });
  const printed = JSON.parse((await forecourt(["audit", "--json", "--limit", "2", ...at])).stdout);
  expect(printed.map(({ action }: { action: string }) => action)).toEqual(
    entries.slice(0, 2).map(({ action }) => action),
  );
});

/** In a shell, with `$@` as the command. */
async function redirected(script: string, words: string[]): Promise<string> {
  const shell = Bun.spawn(["sh", "-c", script, "sh", process.execPath, "src/main.ts", ...words], {
    cwd: `${import.meta.dir}/../..`,
    stdout: "ignore",
    stderr: "pipe",
  });
  const said = await new Response(shell.stderr).text();
  await shell.exited;
  return said;
}

for (const [script, reason] of [
  ['"$@" >/dev/full; echo $? >&2', "ENOSPC"],
  // Nobody reads: the command begins when the pipe's other end is gone.
  [
    'd=$(mktemp -d); mkfifo $d/gone; { cat $d/gone; "$@"; echo $? >&2; } | { exec <&-; echo >$d/gone; }; rm -r $d',
    "EPIPE",
  ],
] as const) {
  test(`a key whose secret reaches nobody is revoked: ${reason}`, async () => {
    const data = newFolder();
    for (const more of [[], ["--json"]]) {
      const said = await redirected(script, ["keys", "create", "--name", "lost", "--data", data, ...more]);
      expect(said).toMatch(new RegExp(`^forecourt: .*${reason}.*the key lost \\(.*was revoked[^\n]*\n1\n$`));
    }
    const keys = keysOf(data).list();
    expect(keys.map(({ revokedAt }) => revokedAt !== undefined)).toEqual([true, true]);
  });

  test(`a rotation whose secret reaches nobody is taken back, the secret before the last one too: ${reason}`, async () => {
    const data = newFolder();
    const first = (await forecourt(["keys", "create", "--name", "ann", "--data", data])).stdout.trim();
    const second = (await forecourt(["keys", "rotate", "ann", "--data", data])).stdout.trim();
    const before = keysOf(data).list();
    const said = await redirected(script, ["keys", "rotate", "ann", "--overlap", "0", "--data", data]);
    expect(said).toMatch(new RegExp(`^forecourt: .*${reason}.*has the secret that it had before[^\n]*\n1\n$`));
    const keys = keysOf(data);
    for (const secret of [first, second]) expect(keys.verify(secret).name).toBe("ann");
    expect(before).toEqual(keysOf(data).list());
  });
}

test("permissions narrow a key, and one that does not exist is wrong usage", async () => {
  const data = newFolder();
  const words = ["keys", "create", "--name", "files", "--json", "--data", data, "--permissions"];
  const made = JSON.parse((await forecourt([...words, "assets:read, account:settings:read"])).stdout);
  expect(made.permissions).toEqual(["assets:read", "account:settings:read"]);
  expect(keysOf(data).verify(made.key).permissions).toEqual(["assets:read", "account:settings:read"]);
  const { exitCode, stderr } = await forecourt([...words, "assets:everything"]);
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining("assets:everything: there is no such permission")]);
});

test.each([
  { words: ["--name", ""] },
  { words: ["--name", "x".repeat(201)] },
  { words: ["--name", "x", "--models", ","] },
  { words: ["--name", "x", "--team", ""] },
  { words: ["--name", "x", "--expires", "99999999999d"] },
])("what no key over HTTP could have, none by command has: %j", async ({ words }) => {
  const data = newFolder();
  const { exitCode, stderr } = await forecourt(["keys", "create", ...words, "--data", data]);
  expect([exitCode, stderr]).toEqual([2, expect.stringMatching(/^forecourt: .*at (least|most)/)]);
  expect(existsSync(databaseFile(data))).toBe(false);
});

test("a name that several keys have means none of them, one that was revoked aside", async () => {
  const data = newFolder();
  const create = ["keys", "create", "--name", "twin", "--data", data];
  const [first = ""] = (await forecourt(create)).stdout.split(":");
  await forecourt(create);
  const { exitCode, stderr } = await forecourt(["keys", "revoke", "twin", "--data", data]);
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining("2 keys are named twin; give the id of one")]);
  const revoked = () =>
    keysOf(data)
      .list()
      .map(({ revokedAt }) => revokedAt !== undefined);
  expect(revoked()).toEqual([false, false]);
  expect((await forecourt(["keys", "revoke", first, "--data", data])).exitCode).toBe(0);
  expect((await forecourt(["keys", "revoke", "twin", "--data", data])).exitCode).toBe(0);
  expect(revoked()).toEqual([true, true]);
});

test.each([
  { words: ["keys", "create", "--name", "x", "--budget", "10 bananas/day"] },
  { words: ["limits", "set", "team", "art", "--budget", "10 bananas/day"] },
  { words: ["prices", "set", "forecourt/*", "0.5 USD/banana"] },
])("what is counted in units that nothing counts would limit nothing and cost nothing: $words", async ({ words }) => {
  const data = newFolder();
  const { exitCode, stderr } = await forecourt([...words, "--data", data]);
  expect([exitCode, stderr]).toEqual([2, expect.stringMatching(/Nothing here counts bananas?; .*images.*gpu_seconds/)]);
  expect(existsSync(databaseFile(data))).toBe(false);
});

test("a team without a name gets no limits", async () => {
  const { exitCode } = await forecourt(["limits", "set", "team", "", "--rpm", "5", "--data", newFolder()]);
  expect(exitCode).toBe(2);
});

test("a key for models and a limit for a team that are not there are made, and told", async () => {
  const data = newFolder();
  const key = ["keys", "create", "--name", "x", "--team", "art", "--models", "forecourt/*,forecort/*", "--data", data];
  const { exitCode, stderr } = await forecourt(key);
  expect([exitCode, stderr]).toEqual([
    0,
    expect.stringMatching(/^No model of this box is named forecort\/\* yet\.\nKeep/),
  ]);
  const limit = (team: string) => forecourt(["limits", "set", "team", team, "--rpm", "5", "--data", data]);
  expect((await limit("atr")).stderr).toContain("No key is of the team atr yet");
  expect((await limit("art")).stderr).toBe("");
});
