// Runners that crash, hang or disobey, and servers that die: nothing is left over and the reason is told.
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { createLog } from "../../src/core/log.ts";
import { milliseconds } from "../../src/core/units.ts";
import { echoModel, isRunning, watchFleet } from "../support/fleet-watcher.ts";
import { until } from "../support/live-server.ts";

// Processes on a loaded machine.
setDefaultTimeout(60_000);

const endless = { prompt: "hello", steps: 1000, step_ms: 20 };

test("a runner killed in the middle of a step is gone with its batch and the signal, and its model rests", async () => {
  await using watched = await watchFleet();
  const { runner, pid } = await watched.start();
  const batch = watched.run(runner, [endless]);
  await watched.next("step");
  process.kill(pid, "SIGKILL");
  const gone = await watched.next("gone");
  expect(gone).toMatchObject({
    runner,
    batches: [batch],
    failure: { code: "runner_crashed", details: { signal: "SIGKILL" } },
  });
  expect(watched.fleet.runners()).toEqual([]);
  expect([...watched.fleet.backOffs().values()]).toMatchObject([{ failures: 1, reason: { code: "runner_crashed" } }]);
});

test("a runner that stops answering in the middle of a batch is ended as hung", async () => {
  await using watched = await watchFleet({ limits: { silence: milliseconds(1000) } });
  const { runner, pid } = await watched.start();
  const batch = watched.run(runner, [endless]);
  await watched.next("step");
  process.kill(pid, "SIGSTOP");
  expect(await watched.next("gone")).toMatchObject({ runner, batches: [batch], failure: { code: "runner_hung" } });
  expect(await isRunning(pid)).toBe(false);
});

test("signals meant for the server's whole process group leave a runner at work", async () => {
  await using watched = await watchFleet();
  const { runner, pid } = await watched.start();
  watched.run(runner, [{ prompt: "hello", steps: 20, step_ms: 10 }]);
  await watched.next("step");
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.kill(pid, signal);
  await watched.next("idle");
  expect(watched.fleet.runners()).toMatchObject([{ pid, state: "ready" }]);
});

test("a batch that outlasts its timeout ends with its runner, and the model need not rest", async () => {
  await using watched = await watchFleet();
  const { runner, pid } = await watched.start();
  watched.run(runner, [endless], { timeout: milliseconds(200) });
  expect(await watched.next("gone")).toMatchObject({ runner, failure: { code: "run_timeout" } });
  expect(await isRunning(pid)).toBe(false);
  expect(watched.fleet.backOffs().size).toBe(0);
});

test("a runner that does not obey a cancel in time is ended, and the job counts as cancelled", async () => {
  await using watched = await watchFleet({ limits: { cancel: milliseconds(200) } });
  const { runner } = await watched.start();
  const batch = watched.run(runner, [{ prompt: "hello", steps: 2, step_ms: 60_000 }]);
  watched.fleet.cancel(batch);
  expect(await watched.next("gone")).toMatchObject({ batches: [batch], failure: { code: "client_cancelled" } });
  expect(watched.fleet.backOffs().size).toBe(0);
});

test("a model that cannot be loaded says why, and rests longer each time", async () => {
  await using watched = await watchFleet();
  const model = echoModel({ pipeline: "text-to-image" });
  for (const failures of [1, 2]) {
    await expect(watched.start(model)).rejects.toThrow("weights_missing");
    await watched.next("gone");
    expect([...watched.fleet.backOffs().values()]).toMatchObject([{ failures, reason: { code: "weights_missing" } }]);
  }
});

test("a model that can be loaded again has its failed starts forgotten", async () => {
  await using watched = await watchFleet();
  await expect(watched.start(echoModel({ pipeline: "text-to-image" }))).rejects.toThrow("weights_missing");
  await watched.next("gone");
  expect(watched.fleet.backOffs().size).toBe(1);
  await watched.start();
  expect(watched.fleet.backOffs().size).toBe(0);
});

test("a command that does not exist is a failed start, not an exception, and the log has one line of it with the reason", async () => {
  const lines: string[] = [];
  const log = createLog({ level: "info", format: "json", write: (line) => lines.push(line) });
  await using watched = await watchFleet({ command: ["/nonexistent/forecourt"], log });
  await expect(watched.start()).rejects.toThrow("runner_failed");
  const { runner, failure } = await watched.next("gone");
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: "error", message: "runner failed", runner, failure },
  ]);
});

test("what a dying process wrote to stderr is in the failure", async () => {
  await using watched = await watchFleet({ command: ["/bin/sh", "-c", "echo out of luck >&2; exit 7"] });
  await expect(watched.start()).rejects.toThrow("out of luck");
  const { failure } = await watched.next("gone");
  expect(failure).toMatchObject({ code: "runner_crashed", details: { exitCode: 7, lastLines: ["out of luck"] } });
});

for (const [what, astray] of [
  ["sends what is no list of messages", '{"type":"ready"}'],
  ["sends a list of what is no message", "[null]"],
  ["sends a message of a kind that there is not", '[{"type":"unheard-of"}]'],
  ["sends a message without what belongs to it", '[{"type":"fatal"}]'],
  ["fails for a reason that there is not", '[{"type":"fatal","failure":{"code":"bad_luck","message":"so it is"}}]'],
  ["takes memory that is no number", '[{"type":"ready","memory":null,"device":"cpu","loadMs":1}]'],
  ["tells what it was not asked", '[{"type":"tried","ms":1}]'],
  ["writes to the channel what is not JSON", "raw double free or corruption"],
  ["closes the channel and goes on", "closed"],
  ["writes a message without an end", "endless"],
] as const) {
  test(`a runner that ${what} is ended, and the server lives on`, async () => {
    const runner = join(import.meta.dir, "../support/astray-runner.ts");
    await using watched = await watchFleet({ command: [process.execPath, runner, astray] });
    const started = watched.start();
    const pid = watched.fleet.runners()[0]?.pid ?? 0;
    await expect(started).rejects.toThrow("was ended, because it");
    expect(await watched.next("gone")).toMatchObject({ failure: { code: "runner_crashed" } });
    expect(await isRunning(pid)).toBe(false);
  });
}

for (const [what, message] of [
  ["progress that is no number", { type: "step", index: 0, step: { type: "progress", at: null, of: 4 } }],
  ["an output without units", { type: "step", index: 0, step: { type: "output", value: {} } }],
  ["units below zero", { type: "step", index: 0, step: { type: "output", value: {}, units: { images: -1 } } }],
  ["units beyond counting", { type: "step", index: 0, step: { type: "output", value: {}, units: { images: 1e300 } } }],
  ["a step of a kind that there is not", { type: "step", index: 0, step: { type: "unheard-of" } }],
  ["a job that the batch has not", { type: "step", index: 1, step: { type: "progress", at: 1, of: 4 } }],
  ["another runner's batch", { type: "idle", batch: "another", memory: 1, runMs: 1 }],
  ["a batch that took less than no time", { type: "idle", memory: 1, runMs: -1 }],
  ["a second load", { type: "ready", memory: 1, device: "cpu", loadMs: 1 }],
] as const) {
  test(`a runner that tells of ${what} fails with its batch at once, and not once it is silent for long`, async () => {
    const runner = join(import.meta.dir, "../support/astray-runner.ts");
    const astray = `busy ${JSON.stringify([{ batch: "$batch", ...message }])}`;
    await using watched = await watchFleet({ command: [process.execPath, runner, astray] });
    const { runner: id } = await watched.start();
    const batch = watched.run(id, [endless]);
    const gone = await watched.next("gone");
    expect(gone).toMatchObject({ batches: [batch], failure: { code: "runner_crashed" } });
    expect(gone.failure?.message).toContain("was ended, because it sent what is no message");
    expect(watched.events.map(({ type }) => type)).toEqual(["ready", "gone"]);
  });
}

test("a runner that writes a message without an end is ended long before its silence is noticed, with little of the memory that it could fill", async () => {
  const runner = join(import.meta.dir, "../support/astray-runner.ts");
  await using watched = await watchFleet({ command: [process.execPath, runner, "busy endless"] });
  const { runner: id } = await watched.start();
  const before = process.memoryUsage.rss();
  const batch = watched.run(id, [endless]);
  const gone = await watched.next("gone");
  expect(gone).toMatchObject({ batches: [batch], failure: { code: "runner_crashed" } });
  expect(gone.failure?.message).toMatch(
    /was ended, because it wrote \d+ MB to its channel without the end of a message/,
  );
  expect(process.memoryUsage.rss() - before).toBeLessThan(2 * 1024 ** 3);
});

test("a fleet that stops ends idle, busy and starting runners, and blames none", async () => {
  const watched = await watchFleet();
  const idle = await watched.start();
  const busy = await watched.start(echoModel({ id: "forecourt/busy" }));
  watched.run(busy.runner, [endless]);
  await watched.next("step");
  const starting = watched.start(echoModel({ id: "forecourt/starting" })).catch(String);
  const pids = watched.fleet.runners().map(({ pid }) => pid ?? 0);
  expect(pids).toHaveLength(3);
  await watched.fleet.stop();
  expect(await starting).toContain("gone");
  for (const pid of pids) expect(await isRunning(pid)).toBe(false);
  const gone = watched.events.filter((event) => event.type === "gone");
  expect(gone).toHaveLength(3);
  for (const event of gone) expect(event.failure).toBeUndefined();
  expect(pids).toContain(idle.pid);
  await watched[Symbol.asyncDispose]();
});

async function kill(child: Bun.Subprocess): Promise<void> {
  child.kill("SIGKILL");
  await child.exited;
}

/** A server in miniature: starts a runner, gives it work and tells both process ids. */
async function startParent(script = "parent-of-runner.ts") {
  const parent = Bun.spawn([process.execPath, join(import.meta.dir, "../support", script)], {
    stdout: "pipe",
    stderr: "inherit",
    stdin: "ignore",
  });
  const reader = parent.stdout.getReader();
  const { value } = await reader.read();
  return { parent, runner: Number(new TextDecoder().decode(value)), [Symbol.asyncDispose]: () => kill(parent) };
}

test("no runner survives a server that is killed, even one that computes and reads no message", async () => {
  await using started = await startParent();
  const { parent, runner } = started;
  expect(await isRunning(runner)).toBe(true);
  process.kill(runner, "SIGSTOP"); // as deaf as native code
  await kill(parent);
  await until(async () => !(await isRunning(runner)), "the runner is gone");
});

test("a runner whose server dies while it starts does not stay either", async () => {
  await using started = await startParent("parent-that-dies.ts");
  const { parent, runner } = started;
  await parent.exited;
  await until(async () => !(await isRunning(runner)), "the runner is gone");
});

test("the process that holds the fleet maps no native library", async () => {
  await using started = await startParent();
  const { parent, runner } = started;
  const maps = await Bun.file(`/proc/${parent.pid}/maps`).text();
  expect(maps).toContain("libc.so");
  expect(maps).not.toMatch(/onnxruntime|vips|sharp/);
  parent.kill("SIGTERM");
  await parent.exited;
  await until(async () => !(await isRunning(runner)), "the runner is gone");
});
