// install.sh from an empty home to a picture, again, and away; under the three shells that it promises.
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { forecourt, freePort, isCompiled } from "../support/live-server.ts";
import { createMachine } from "./machine.ts";

const hasBusybox = Bun.which("busybox") !== null;
const ash = hasBusybox ? ["busybox", "ash"] : ["dash"];
const MINUTES = 60_000;

describe.skipIf(!isCompiled)("a whole life", () => {
  const machine = createMachine();
  const [binary = ""] = forecourt;
  const install = ["./install.sh", "--user", "--binary", binary];
  const pid = () => readFileSync(join(machine.data, "server.pid"), "utf8").trim();
  let port = 0;
  let firstPid = "";

  afterAll(async () => {
    await machine.run(["sh"], ["./install.sh", "--user", "--uninstall"]);
    machine[Symbol.dispose]();
  });

  test(
    "one command under dash ends with a picture, and says where everything is",
    async () => {
      port = await freePort();
      const { exitCode, stdout, stderr } = await machine.run(["dash"], [...install, "--port", String(port)]);
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
      const place = (name: string) => new RegExp(`^ +${name} +(.+)$`, "m").exec(stdout)?.[1] ?? "";
      expect(statSync(place("picture")).size).toBeGreaterThan(1000);
      expect(place("server")).toBe(`http://127.0.0.1:${port}`);
      expect((await fetch(place("docs page"))).status).toBe(200);
      expect(place("admin key")).toBe(join(machine.data, "admin.key"));
      const keyFile = place("client key");
      expect(statSync(keyFile).mode & 0o777).toBe(0o600);
      const key = readFileSync(keyFile, "utf8").trim();
      expect(stdout + stderr).not.toContain(key);
      const answer = await fetch(`http://127.0.0.1:${port}/run/forecourt/echo`, {
        method: "POST",
        headers: { authorization: `Key ${key}`, "content-type": "application/json" },
        body: JSON.stringify({ prompt: "hello" }),
      });
      expect(await answer.json()).toMatchObject({ prompt: "hello" });
      firstPid = pid();
    },
    3 * MINUTES,
  );

  test(
    "a second run under bash, without the options of the first, does no harm: same program, process, port and key",
    async () => {
      const key = readFileSync(join(machine.data, "client.key"), "utf8");
      const { exitCode, stdout } = await machine.run(["bash"], install);
      expect(exitCode).toBe(0);
      expect(stdout).toContain(`http://127.0.0.1:${port}\n`);
      expect(stdout).toContain("already current");
      expect(pid()).toBe(firstPid);
      expect(readFileSync(join(machine.data, "client.key"), "utf8")).toBe(key);
    },
    2 * MINUTES,
  );

  test(
    "another program is put in place by one rename, and the server restarts on it",
    async () => {
      const other = join(machine.home, "other");
      writeFileSync(other, `#!/bin/sh\nexec "${binary}" "$@"\n`, { mode: 0o755 });
      const { exitCode, stdout } = await machine.run(
        ["dash"],
        ["./install.sh", "--user", "--binary", other, "--no-start"],
      );
      expect(exitCode).toBe(0);
      expect(stdout).toContain("Installing forecourt");
      expect(readFileSync(machine.link, "utf8")).toStartWith("#!/bin/sh");
      expect(pid()).toBe(firstPid);
      const back = await machine.run(["dash"], [...install, "--port", String(await freePort())]);
      expect(back.exitCode).toBe(0);
      expect(back.stdout).toContain("Restarting the server");
      expect(pid()).not.toBe(firstPid);
    },
    2 * MINUTES,
  );

  test(
    "uninstalling under busybox ash ends the server and keeps the data; --purge takes them too",
    async () => {
      const last = pid();
      const kept = await machine.run(ash, ["./install.sh", "--user", "--uninstall"]);
      expect(kept).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(machine.data) });
      expect(existsSync(`/proc/${last}`)).toBe(false);
      expect(existsSync(machine.link)).toBe(false);
      expect(existsSync(join(machine.data, "forecourt.sqlite"))).toBe(true);
      expect((await machine.run(ash, ["./install.sh", "--user", "--uninstall", "--purge"])).exitCode).toBe(0);
      expect(existsSync(machine.data)).toBe(false);
      const again = await machine.run(ash, ["./install.sh", "--user", "--uninstall"]);
      expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("There is no Forecourt") });
    },
    MINUTES,
  );
});

describe("refusals come early, with the reason, and change nothing", () => {
  const refused = async (machine: ReturnType<typeof createMachine>, words: string[] = []) => {
    const ended = await machine.run(["dash"], ["./install.sh", "--user", ...words]);
    expect(ended.exitCode).toBe(3);
    expect(ended.stderr).toStartWith("install.sh: ");
    expect(existsSync(join(machine.home, ".local"))).toBe(false);
    return ended.stderr;
  };

  test("another system", async () => {
    using machine = createMachine();
    machine.tool("uname", 'case "$1" in -s) echo Darwin ;; *) echo arm64 ;; esac');
    expect(await refused(machine)).toContain("Darwin");
  });

  test("another processor", async () => {
    using machine = createMachine();
    machine.tool("uname", 'case "$1" in -s) echo Linux ;; *) echo riscv64 ;; esac');
    expect(await refused(machine)).toContain("riscv64");
  });

  test("a full disk", async () => {
    using machine = createMachine();
    machine.tool("df", "echo Filesystem; echo 'disk 1000000 900000 102400 90% /'");
    expect(await refused(machine)).toContain("only 100 MiB are free");
  });

  test("missing tools, all at once", async () => {
    using machine = createMachine();
    machine.onlyTools(["sh", "id", "uname", "cat", "sed", "dirname"]);
    const reason = await refused(machine);
    for (const tool of ["awk", "df", "sha256sum", "curl", "unzip"]) expect(reason).toContain(` ${tool}`);
  });

  test("a port that another program holds", async () => {
    using other = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("mine") });
    using machine = createMachine();
    expect(await refused(machine, ["--port", String(other.port)])).toContain(`port ${other.port} is used`);
  });
});

describe("wrong usage", () => {
  const cases = [
    ["--prot", "1"],
    ["--port", "http"],
    ["--port", "123456"],
    ["--port", "65536"],
    ["--port", "080"],
    ["--port"],
    ["--purge"],
    ["--binary", "/no/such"],
  ];
  for (const words of cases)
    test(words.join(" "), async () => {
      using machine = createMachine();
      const { exitCode, stderr } = await machine.run(["dash"], ["./install.sh", ...words]);
      expect(exitCode).toBe(2);
      expect(stderr).toContain("--help");
    });

  test("--help is none", async () => {
    using machine = createMachine();
    const { exitCode, stdout } = await machine.run(ash, ["./install.sh", "--help"]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("--uninstall");
  });
});

test("a program that is not Forecourt, or does not run here, takes no place", async () => {
  using machine = createMachine();
  const broken = join(machine.home, "broken");
  writeFileSync(broken, "\x7fELF of another processor", { mode: 0o755 });
  for (const binary of [broken, "/bin/true"]) {
    const words = ["./install.sh", "--user", "--no-start", "--binary", binary];
    const { exitCode, stderr } = await machine.run(["dash"], words);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`${binary} is not Forecourt`);
    expect(existsSync(join(machine.home, ".local"))).toBe(false);
  }
});

test("--purge removes a data directory that lies elsewhere, and the link to it", async () => {
  using machine = createMachine();
  const [elsewhere, data] = [join(machine.home, "large disk"), join(machine.home, "data")];
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, "forecourt.sqlite"), "keys");
  symlinkSync(elsewhere, data);
  const words = ["./install.sh", "--user", "--uninstall", "--purge", "--data", data];
  expect(await machine.run(["dash"], words)).toMatchObject({ exitCode: 0, stderr: "" });
  expect(existsSync(elsewhere)).toBe(false);
  expect(existsSync(data)).toBe(false);
});

test("--purge leaves a folder alone that is no data directory", async () => {
  using machine = createMachine();
  const precious = join(machine.home, "photos");
  mkdirSync(precious);
  writeFileSync(join(precious, "holiday.jpg"), "precious");
  const words = ["./install.sh", "--user", "--uninstall", "--purge", "--data", precious];
  const { exitCode, stderr } = await machine.run(["dash"], words);
  expect(exitCode).toBe(1);
  expect(stderr).toContain("is not a data directory");
  expect(existsSync(join(precious, "holiday.jpg"))).toBe(true);
});
