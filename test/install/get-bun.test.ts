// config/get-bun.sh: the right Bun, by whatever tool is there, or a refusal.
import { expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
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
  const machine = createMachine();
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

test("a registry that does not answer is named", async () => {
  const machine = createMachine();
  machine.onlyTools(withoutNpm);
  machine.tool("curl", "exit 7");
  const { exitCode, stderr } = await machine.run(["dash"], ["config/get-bun.sh", join(machine.home, "bun")]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain("did not answer");
});

test("with no way to download it says what to install", async () => {
  const machine = createMachine();
  machine.onlyTools(withoutNpm.filter((name) => name !== "curl"));
  const { exitCode, stderr } = await machine.run(["dash"], ["config/get-bun.sh", join(machine.home, "bun")]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain("npm, curl and wget");
});

test("a Bun of this version that is there already is used without any download", async () => {
  const machine = createMachine();
  const name = process.arch === "arm64" ? "bun-linux-aarch64" : "bun-linux-x64";
  const bin = join(machine.home, "bun/node_modules/@oven", name, "bin");
  machine.tool("npm", "exit 1");
  machine.tool("curl", "exit 1");
  await Bun.$`mkdir -p ${bin} && ln -s ${process.execPath} ${join(bin, "bun")}`.quiet();
  const { exitCode, stdout } = await machine.run(["dash"], ["config/get-bun.sh", join(machine.home, "bun")]);
  expect(exitCode).toBe(0);
  expect(stdout.trim()).toBe(join(bin, "bun"));
  expect(existsSync(stdout.trim())).toBe(true);
});
