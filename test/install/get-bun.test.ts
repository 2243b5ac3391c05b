// config/get-bun.sh: the right Bun, by whatever tool is there, or a refusal.
import { expect, test } from "bun:test";
import { lstatSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createMachine } from "./machine.ts";

const withoutNpm = [
  "sh",
  "uname",
  "sed",
  "dirname",
  "base64",
  "od",
  "tr",
  "cut",
  "mkdir",
  "sha512sum",
  "tar",
  "gzip",
  "rm",
  "cat",
  "curl",
];

test("an archive without the hash of bun.lock is refused and not unpacked", async () => {
  using registry = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("something else") });
  using machine = createMachine();
  machine.onlyTools(withoutNpm);
  const folder = join(machine.home, "bun");
  const { exitCode, stderr } = await machine.run(["dash"], ["config/get-bun.sh", folder], {
    npm_config_registry: `http://127.0.0.1:${registry.port}`,
  });
  expect(exitCode).toBe(1);
  expect(stderr).toContain("does not have the hash in bun.lock");
  expect(readdirSync(folder, { recursive: true }).filter((name) => String(name).endsWith("bun"))).not.toContain(
    "bin/bun",
  );
});

test.each([
  ["a mirror", { npm_config_registry: "http://127.0.0.1:9" }, "http://127.0.0.1:9 did not answer"],
  ["Bun's releases", {}, "/releases/download/bun-v1.4.5 did not answer"],
])("%s without an answer is named", async (_, environment, expected) => {
  using machine = createMachine();
  machine.onlyTools(withoutNpm);
  machine.tool("curl", "exit 7");
  machine.tool("unzip", "exit 1");
  const { exitCode, stderr } = await machine.run(
    ["dash"],
    ["config/get-bun.sh", join(machine.home, "bun")],
    environment,
  );
  expect(exitCode).toBe(1);
  expect(stderr).toContain(expected);
});

test("with no way to download it says what to install", async () => {
  using machine = createMachine();
  machine.onlyTools(withoutNpm.filter((name) => name !== "curl"));
  const { exitCode, stderr } = await machine.run(["dash"], ["config/get-bun.sh", join(machine.home, "bun")]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain("npm, curl and wget");
});

test("a Bun of this version that is there already is used without any download", async () => {
  using machine = createMachine();
  const name = process.arch === "arm64" ? "bun-linux-aarch64" : "bun-linux-x64";
  const bun = join(machine.home, "bun/node_modules/@oven", name, "bin/bun");
  mkdirSync(dirname(bun), { recursive: true });
  writeFileSync(bun, `#!/bin/sh\nexec ${process.execPath} "$@"\n`, { mode: 0o755 });
  machine.tool("npm", "exit 1");
  machine.tool("curl", "exit 1");
  const { exitCode, stdout } = await machine.run(["dash"], ["config/get-bun.sh", join(machine.home, "bun")]);
  expect(exitCode).toBe(0);
  expect(stdout.trim()).toBe(bun);
});

test("what a test puts in place of a tool never reaches the machine's own", async () => {
  using machine = createMachine();
  machine.onlyTools(["sh", "true"]);
  machine.tool("true", "exit 9");
  expect(lstatSync(join(machine.home, "tools/true")).isSymbolicLink()).toBe(false);
  expect(Bun.spawnSync(["/bin/true"]).exitCode).toBe(0);
});
