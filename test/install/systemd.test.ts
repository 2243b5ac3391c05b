// The system service under a real systemd: installed by install.sh, started, watched over, and stopped.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { freePort, isCompiled, until } from "../support/live-server.ts";
import { bootMachine, CHECKOUT, PROGRAM, type SystemdMachine } from "./systemd-machine.ts";

const MINUTES = 60_000;
const machine =
  isCompiled && process.getuid?.() === 0 ? await bootMachine() : "there is no compiled program, or we are not root";
if (typeof machine === "string")
  process.stderr.write(`There is no machine under systemd (${machine}): its test is skipped.\n`);

describe.skipIf(typeof machine === "string")("the system service", () => {
  const { run, property } = machine as SystemdMachine;
  let port = 0;
  beforeAll(async () => {
    port = await freePort();
  });
  afterAll(() => (machine as SystemdMachine)[Symbol.asyncDispose]());

  const of = (name: string) => property("forecourt", name);
  const answers = () =>
    fetch(`http://127.0.0.1:${port}/ready`).then(
      ({ status }) => status === 200,
      () => false,
    );

  test(
    "is installed and started by one command, and says how it is",
    async () => {
      const words = ["--system", "--binary", PROGRAM, "--port", String(port)];
      const { exitCode, stdout, stderr } = run("sh", `${CHECKOUT}/install.sh`, ...words);
      expect({ exitCode, stdout, stderr }).toMatchObject({
        exitCode: 0,
        stdout: expect.stringMatching(/Starting the service[\s\S]*Forecourt is ready/),
      });
      expect(await answers()).toBe(true);
      expect([of("ActiveState"), of("Type"), of("WatchdogUSec"), of("User")]).toEqual([
        "active",
        "notify",
        "1min",
        "forecourt",
      ]);
      await until(async () => / models, 1 loaded, best device cpu/.test(of("StatusText")), "it says what is loaded");
    },
    5 * MINUTES,
  );

  test(
    "returns from a restart when it serves",
    async () => {
      const before = of("MainPID");
      expect(run("systemctl", "restart", "forecourt").exitCode).toBe(0);
      expect([await answers(), of("MainPID") === before]).toEqual([true, false]);
      expect(of("StatusText")).toStartWith("Ready: ");
    },
    2 * MINUTES,
  );

  test(
    "is started again when it stands still",
    async () => {
      // Shorter than a minute, for this test; twice as long as a busy machine takes to feed it.
      run("mkdir", "-p", "/etc/systemd/system/forecourt.service.d");
      run(
        "sh",
        "-c",
        "printf '[Service]\\nWatchdogSec=10\\nTimeoutAbortSec=5\\n' >/etc/systemd/system/forecourt.service.d/quick.conf",
      );
      run("systemctl", "daemon-reload");
      run("systemctl", "restart", "forecourt");
      expect(of("WatchdogUSec")).toBe("10s");
      const pid = of("MainPID");
      expect(run("kill", "-STOP", pid).exitCode).toBe(0);
      await until(async () => of("NRestarts") === "1", "systemd has started it again", 60_000);
      await until(answers, "it serves", 60_000);
      expect(of("MainPID")).not.toBe(pid);
      // And not again while it works: three times as long as it would be waited for.
      await Bun.sleep(30_000);
      expect([of("NRestarts"), of("ActiveState")]).toEqual(["1", "active"]);
    },
    4 * MINUTES,
  );

  test(
    "stops in order, and is removed",
    async () => {
      expect(run("systemctl", "stop", "forecourt").exitCode).toBe(0);
      expect([of("ActiveState"), of("Result"), of("ExecMainStatus")]).toEqual(["inactive", "success", "0"]);
      expect(run("sh", `${CHECKOUT}/install.sh`, "--system", "--uninstall", "--purge").exitCode).toBe(0);
      expect(of("LoadState")).toBe("not-found");
    },
    2 * MINUTES,
  );
});
