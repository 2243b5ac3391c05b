import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ECHO_MODEL } from "../clients/server-under-test.ts";
import { startServer, until } from "../support/live-server.ts";

const echo = (prompt: string, steps: number) => ({
  ...{ type: "run", app: "test/echo/idle" },
  input: { prompt, steps, step_ms: 100 },
});

test("a workflow whose server is killed goes on after the restart; nodes that were done are not done again", async () => {
  const data = await mkdtemp(join(tmpdir(), "forecourt-workflows-"));
  const first = await startServer({ data, models: [ECHO_MODEL] });
  const headers = { authorization: `Key ${first.key}` };
  const workflow = {
    quick: echo("$input.prompt", 1),
    slow: echo("$quick.prompt", 20),
    output: { type: "display", depends: ["slow"], fields: { text: "$slow.prompt", steps: "$slow.steps" } },
  };
  const submitted = await fetch(`${first.origin}/queue/workflows/execute`, {
    ...{ method: "POST", headers },
    body: JSON.stringify({ input: { prompt: "kept" }, workflow }),
  });
  const { request_id: id } = await submitted.json();
  const path = `/queue/workflows/execute/requests/${id}`;
  const messages = async (origin: string): Promise<string[]> => {
    const status = await (await fetch(`${origin}${path}/status?logs=1`, { headers })).json();
    return (status.logs ?? []).map(({ message }: { message: string }) => message);
  };
  await until(async () => (await messages(first.origin)).some((line) => line.startsWith("slow:")), "slow has begun");
  const before = await messages(first.origin);
  await first.kill("SIGKILL");

  await using second = await startServer({ data });
  let last: Response | undefined;
  await until(async () => {
    last = await fetch(`${second.origin}${path}`, { headers });
    return last.status !== 400;
  }, "the workflow has ended");
  expect(last?.status).toBe(200);
  expect(await last?.json()).toEqual({ text: "kept", steps: 20 });
  // The same requests as before: each node had one.
  expect(new Set(await messages(second.origin))).toEqual(new Set(before));
  await rm(data, { recursive: true, force: true });
}, 90_000);

test("what a workflow's nodes gave stays while it goes on, however short the retention and however often the server is killed; then all of it goes", async () => {
  const data = await mkdtemp(join(tmpdir(), "forecourt-workflows-"));
  // Jobs are over after a second; they are looked for when a server starts, and an hour later.
  const options = { data, models: [ECHO_MODEL], env: { FORECOURT_JOBS_RETENTION_DAYS: String(1 / 86_400) } };
  const workflow = {
    quick: echo("$input.prompt", 1),
    slow: echo("$quick.prompt", 40),
    output: { type: "display", depends: ["slow"], fields: { text: "$slow.prompt", said: "$quick.prompt" } },
  };
  let server = await startServer(options);
  const ask = async (path: string, init: RequestInit = {}) =>
    await fetch(`${server.origin}/queue/${path}`, { ...init, headers: { authorization: `Key ${server.key}` } });
  const body = JSON.stringify({ input: { prompt: "kept" }, workflow });
  const { request_id: id } = await (await ask("workflows/execute", { method: "POST", body })).json();
  const path = `workflows/execute/requests/${id}`;
  const nodes = async (): Promise<string[]> => {
    const { logs = [] } = await (await ask(`${path}/status?logs=1`)).json();
    return logs.flatMap(({ message }: { message: string }) => /request (\S+)$/.exec(message)?.[1] ?? []);
  };
  await until(async () => (await nodes()).length === 2, "slow has begun");
  const begun = await nodes();
  const statusOf = async (request: string | undefined) => (await ask(`test/echo/requests/${request}/status`)).status;
  const finishedAt = Date.now();
  for (const _ of ["second", "third"]) {
    await until(async () => Date.now() > finishedAt + 2_000, "quick is over by the retention");
    await server.kill("SIGKILL");
    server = await startServer(options);
    expect(await statusOf(begun[0])).toBe(200);
  }
  let last: Response | undefined;
  await until(async () => {
    last = await ask(path);
    return last.status !== 400;
  }, "the workflow has ended");
  expect(await last?.json()).toEqual({ text: "kept", said: "kept" });
  expect(new Set(await nodes())).toEqual(new Set(begun));
  expect(server.output()).not.toContain("UNIQUE");
  const endedAt = Date.now();
  await until(async () => Date.now() > endedAt + 2_000, "all of it is over by the retention");
  await server.kill("SIGTERM");
  server = await startServer(options);
  for (const request of [...begun, id])
    await until(async () => (await ask(`test/echo/requests/${request}/status`)).status === 404, "it is removed");
  await server.kill("SIGTERM");
  await rm(data, { recursive: true, force: true });
}, 120_000);
