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
