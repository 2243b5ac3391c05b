// `forecourt serve` as a process: its start, its refusals, its end.
import { Database } from "bun:sqlite";
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { forecourt as command, freePort, startServer, until } from "../support/live-server.ts";
import { forecourt, newFolder, removeFolders } from "./command.ts";
import { listenAsSystemd } from "./serve/listen-as-systemd.ts";

// Processes on a loaded machine.
setDefaultTimeout(60_000);

afterAll(removeFolders);

test("the first start makes an admin key for its owner's eyes only; later ones keep it", async () => {
  const data = newFolder();
  let key = "";
  {
    await using server = await startServer({ data });
    key = server.key;
    const file = join(data, "admin.key");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(server.output()).toContain(file);
    expect(server.output()).not.toContain(key.split(":")[1] ?? "");
  }
  await using again = await startServer({ data });
  expect(again.key).toBe(key);
  expect(again.output()).not.toContain("admin key made");
});

test("it says where it is when it is ready", async () => {
  await using server = await startServer();
  const ready = server
    .output()
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line))
    .find(({ message }) => message === "ready");
  expect(ready).toMatchObject({ url: server.origin, docs: `${server.origin}/swagger` });
  expect(ready.device).toStartWith("cpu");
});

test("commands find the server of their data directory where it says that it listens, unless a flag says where", async () => {
  await using server = await startServer();
  const on = (...words: string[]) => forecourt([...words, "--data", server.data]);
  expect((await on("ps")).exitCode).toBe(0);
  const run = await on("run", "forecourt/echo", "prompt=hi", "--json");
  expect(JSON.parse(run.stdout)).toMatchObject({ output: { prompt: "hi" } });
  expect(JSON.parse((await on("doctor", "--json")).stdout).server).toEqual({ origin: server.origin, state: "ready" });
  const elsewhere = await on("ps", "--port", String(await freePort()));
  expect([elsewhere.exitCode, elsewhere.stderr]).toEqual([1, expect.stringContaining("No server runs at")]);

  // What the server carries out it writes down itself, for whom: the command does not write it a second time.
  expect((await on("models", "update")).stderr).toContain("No model follows a branch");
  const acts: { action: string; origin: string }[] = JSON.parse((await on("audit", "--json")).stdout);
  expect(acts).toMatchObject([
    { action: "POST /admin/v1/models/update", origin: expect.stringMatching(/ for os:\w+$/), outcome: "done" },
  ]);

  const note = join(server.data, "server.address");
  expect(statSync(note).mode & 0o777).toBe(0o600);
  const left = readFileSync(note, "utf8");
  await server.kill("SIGTERM");
  expect(existsSync(note)).toBe(false);
  // As a server leaves it that was killed: nobody is asked there.
  writeFileSync(note, left);
  expect((await on("ps")).stderr).not.toContain(server.origin);
});

test("who listens where a server of the data directory could be, and is none of it, gets neither its key nor its work", async () => {
  const heard: string[] = [];
  await using stranger = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch({ url, headers }) {
      heard.push(`${new URL(url).pathname} ${headers.get("authorization") ?? "without a key"}`);
      return Response.json({ status: "ok" });
    },
  });
  await using server = await startServer();
  await server.kill("SIGTERM");
  const there = { FORECOURT_PORT: String(stranger.port), FORECOURT_DEVICE: "cpu" };
  const on = (...words: string[]) => forecourt([...words, "--data", server.data], there);
  const shown = await on("ps");
  expect([shown.exitCode, shown.stderr]).toEqual([1, expect.stringContaining(`No server of ${server.data} runs`)]);
  const run = await on("run", "forecourt/echo", "prompt=hi", "--json");
  expect(JSON.parse(run.stdout)).toMatchObject({ output: { prompt: "hi" } });
  expect(heard.filter((each) => !each.endsWith("without a key"))).toEqual([]);
  expect(heard).toContain("/health without a key");
});

test("a server whose log nobody reads any more serves on", async () => {
  const data = newFolder();
  const [port, pidFile] = [await freePort(), join(data, "pid")];
  // Every answer is a line of the log, and the reader leaves after the first.
  const piped = `{ "$@" & echo $! > '${pidFile}'; wait; } 2>&1 >/dev/null | head -n 1 >/dev/null`;
  const words = ["serve", "--data", data, "--port", String(port)];
  const shell = Bun.spawn(["sh", "-c", piped, "sh", ...command, ...words], {
    env: { ...process.env, FORECOURT_LOG_LEVEL: "debug" },
  });
  const isReady = async () => (await fetch(`http://127.0.0.1:${port}/ready`).catch(() => undefined))?.status === 200;
  await until(isReady, "the server");
  for (let each = 0; each < 5; each++) expect(await isReady()).toBe(true);
  process.kill(Number(readFileSync(pidFile, "utf8")), "SIGTERM");
  await shell.exited;
});

test("a taken port is one sentence with the way out, and leaves the data directory free", async () => {
  await using first = await startServer();
  const data = newFolder();
  const refused = await forecourt(["serve", "--data", data, "--port", String(first.port)]);
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr.trim().split("\n")).toHaveLength(1);
  expect(refused.stderr).toContain(String(first.port));
  expect(refused.stderr).toContain("--port");
  await using second = await startServer({ data });
  expect((await fetch(`${second.origin}/ready`)).status).toBe(200);
});

test("a second server on one data directory is refused and harms the first one not", async () => {
  await using first = await startServer();
  const { exitCode, stderr } = await forecourt(["serve", "--data", first.data, "--port", "0"]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain(`process ${first.pid}`);
  expect((await fetch(`${first.origin}/ready`)).status).toBe(200);
});

test("a device that this box lacks stops the start", async () => {
  const { exitCode, stderr } = await forecourt(["serve", "--data", newFolder(), "--port", "0", "--device", "cuda"]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain("cuda");
});

/** A job that would take 100 s, begun. */
async function beginLongRun(server: Awaited<ReturnType<typeof startServer>>, signal: AbortSignal) {
  const response = await fetch(`${server.origin}/run/forecourt/echo/stream`, {
    method: "POST",
    headers: { authorization: `Key ${server.key}`, "content-type": "application/json" },
    body: JSON.stringify({ prompt: "x", steps: 1000, step_ms: 100 }),
    signal,
  });
  const reader = response.body?.getReader();
  await reader?.read();
  return reader;
}

test("SIGTERM under way ends it in order: the caller's stream ends, no runner is left, the exit code is 0", async () => {
  await using server = await startServer();
  await beginLongRun(server, AbortSignal.timeout(60_000));
  const [runner] = await server.runnerPids();
  await server.kill("SIGTERM");
  expect(existsSync(`/proc/${server.pid}`)).toBe(false);
  await until(async () => !existsSync(`/proc/${runner}`), "the runner is gone");
  expect(server.output()).toContain("go back to the queue");
  expect(existsSync(join(server.data, "server.pid"))).toBe(false);
}, 90_000);

test("who waits for an answer that does not come before the stop is told to send the request again", async () => {
  await using server = await startServer();
  const answer = fetch(`${server.origin}/run/forecourt/echo`, {
    method: "POST",
    headers: { authorization: `Key ${server.key}`, "content-type": "application/json" },
    body: JSON.stringify({ prompt: "x", steps: 1000, step_ms: 100 }),
  });
  await until(async () => (await server.runnerPids()).length > 0, "the request is under way");
  const stopped = server.kill("SIGTERM");
  const { status, headers } = await answer;
  expect(status).toBe(503);
  expect(headers.get("x-fal-request-id")).toBeString();
  expect(await (await answer).json()).toMatchObject({ detail: expect.stringContaining("Send it again") });
  await stopped;
  using database = new Database(join(server.data, "forecourt.sqlite"));
  expect(database.query("SELECT status FROM job").values()).toEqual([["cancelled"]]);
}, 90_000);

test("a second signal stops at once, and still leaves no runner", async () => {
  await using server = await startServer();
  await beginLongRun(server, AbortSignal.timeout(60_000));
  const [runner] = await server.runnerPids();
  process.kill(server.pid, "SIGINT");
  await until(async () => server.output().includes("go back to the queue"), "it drains");
  const begun = performance.now();
  await server.kill("SIGINT");
  expect(performance.now() - begun).toBeLessThan(20_000);
  await until(async () => !existsSync(`/proc/${runner}`), "the runner is gone");
}, 90_000);

test("as a service it tells systemd that it starts, when it is ready, how it is and when it stops", async () => {
  const socket = join(newFolder(), "notify");
  using systemd = listenAsSystemd(socket);
  await using server = await startServer({ env: { NOTIFY_SOCKET: socket } });
  expect(systemd.receive()).toStartWith("STATUS=Starting");
  const hears = (message: string) => until(async () => systemd.receive().startsWith(message), `it says ${message}`);
  await hears("READY=1\nSTATUS=Ready: ");
  await hears("WATCHDOG=1");
  await server.kill("SIGTERM");
  await hears("STOPPING=1\nSTATUS=Stopping");
});

/** A watchdog that is fed four times a second. */
const WATCHDOG = { WATCHDOG_USEC: "1000000" };

test("the watchdog is fed by a server that works, not by one that stands still, and again by one that goes on", async () => {
  const socket = join(newFolder(), "notify");
  using systemd = listenAsSystemd(socket);
  await using server = await startServer({ env: { NOTIFY_SOCKET: socket, ...WATCHDOG } });
  const isFed = () => until(async () => systemd.receive() === "WATCHDOG=1", "it is fed");
  await isFed();
  await isFed();
  process.kill(server.pid, "SIGSTOP");
  const state = () => /^State:\s*(\w)/m.exec(readFileSync(`/proc/${server.pid}/status`, "utf8"))?.[1];
  await until(async () => state() === "T", "it stands still");
  while (systemd.receive() !== "") {
    // What it told before.
  }
  // Three times as long as systemd would wait.
  await Bun.sleep(3000);
  expect(systemd.receive()).toBe("");
  process.kill(server.pid, "SIGCONT");
  await isFed();
});

test("an event loop that is blocked does not feed the watchdog", async () => {
  const folder = newFolder();
  const [socket, preload] = [join(folder, "notify"), join(folder, "block.ts")];
  writeFileSync(preload, 'process.on("SIGUSR2", () => { for (;;) {} });');
  using systemd = listenAsSystemd(socket);
  await using server = await startServer({ env: { NOTIFY_SOCKET: socket, ...WATCHDOG }, preload });
  const isFed = () => until(async () => systemd.receive() === "WATCHDOG=1", "it is fed");
  await isFed();
  process.kill(server.pid, "SIGUSR2");
  await until(async () => !(await answers(server.origin)), "it is blocked");
  while (systemd.receive() !== "") {
    // What it told before.
  }
  await Bun.sleep(3000);
  expect(systemd.receive()).toBe("");
  await server.kill("SIGKILL");
});

const answers = (origin: string) =>
  fetch(`${origin}/health`, { signal: AbortSignal.timeout(1000) }).then(
    () => true,
    () => false,
  );

test("a socket of systemd that is gone is told in the log and stops nothing", async () => {
  await using server = await startServer({ env: { NOTIFY_SOCKET: "/no/such/socket" } });
  expect(server.output()).toContain("/no/such/socket");
  expect((await fetch(`${server.origin}/ready`)).status).toBe(200);
});

test("a log for people has the same facts as the one for machines", async () => {
  await using server = await startServer({ env: { FORECOURT_LOG_FORMAT: "text" } });
  expect(server.output()).toMatch(new RegExp(`^\\d\\d:\\d\\d:\\d\\d INFO  ready url=${server.origin} `, "m"));
  expect(readFileSync(join(server.data, "server.pid"), "utf8").trim()).toBe(String(server.pid));
});
