// What ends `forecourt serve`: a closed terminal as much as SIGTERM, at any time after its first moments.
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { forecourt, freePort, startServer, until } from "../../support/live-server.ts";
import { newFolder, removeFolders } from "../command.ts";

setDefaultTimeout(60_000);
afterAll(removeFolders);

/** Whether the process has a handler of its own for SIGTERM, by /proc/PID/status. */
function hearsTerm(pid: number): boolean {
  const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "0";
  return ((BigInt(`0x${caught}`) >> 14n) & 1n) === 1n;
}

const spawnServer = async (words: string[]) => {
  const data = newFolder();
  const port = await freePort();
  const command = [...words, ...forecourt, "serve", "--data", data, "--port", String(port), "--device", "cpu"];
  return { data, port, child: Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "pipe" }) };
};

test("a terminal that hangs up, twice as they do, ends it in order", async () => {
  const [data, port] = [newFolder(), await freePort()];
  let output = "";
  const decoder = new TextDecoder();
  const child = Bun.spawn([...forecourt, "serve", "--data", data, "--port", String(port), "--device", "cpu"], {
    env: { ...process.env, FORECOURT_LOG_FORMAT: "json" },
    terminal: {
      data(_, chunk) {
        output += decoder.decode(chunk, { stream: true });
      },
    },
  });
  await until(async () => output.includes('"ready"'), "the server");
  child.kill("SIGHUP");
  await until(async () => output.includes("go back to the queue"), "it drains");
  child.kill("SIGHUP");
  expect(await child.exited).toBe(0);
  expect(output).toContain('"signal":"SIGHUP"');
  expect(existsSync(join(data, "server.pid"))).toBe(false);
});

test("without a terminal a hang-up stops nothing: model files are read anew", async () => {
  await using server = await startServer({ env: { FORECOURT_MODELS_WATCH_SECONDS: "0" } });
  await Bun.write(join(server.data, "models", "a.yaml"), "id: [");
  process.kill(server.pid, "SIGHUP");
  await until(async () => server.output().includes("models/a.yaml: not valid YAML"), "it reads them");
  expect((await fetch(`${server.origin}/ready`)).status).toBe(200);
});

test("a hang-up that was ignored when it began, as nohup does, does not stop it", async () => {
  const { child, port } = await spawnServer(["sh", "-c", `trap "" HUP; exec "$@"`, "sh"]);
  const isReady = async () => (await fetch(`http://127.0.0.1:${port}/ready`).catch(() => undefined))?.status === 200;
  await until(isReady, "the server");
  child.kill("SIGHUP");
  // A stop that is asked for after it would find the first one done.
  child.kill("SIGTERM");
  const log = await new Response(child.stderr).text();
  expect(log).toContain('"signal":"SIGTERM"');
  expect(await child.exited).toBe(0);
});

test("a stop while it starts is one line of the log and no failure", async () => {
  const { child, data } = await spawnServer([]);
  await until(async () => hearsTerm(child.pid), "its code is read");
  child.kill("SIGTERM");
  const log = await new Response(child.stderr).text();
  expect([await child.exited, log]).toEqual([0, expect.stringMatching(/^\{.*"stopped before it was ready"\}\n$/)]);
  expect(existsSync(join(data, "forecourt.sqlite"))).toBe(false);
});
