// A batch whose server is killed time after time: each of its requests is carried out, told and paid exactly once.
import { expect, test } from "bun:test";
import OpenAI from "openai";
import { type LiveServer, startServer, until } from "../../support/live-server.ts";
import { languageServer, MODEL } from "./language-server.ts";

const LINES = 150;
const KILLS = 3;
const ids = Array.from({ length: LINES }, (_, at) => `request-${at}`);
const body = { model: MODEL, temperature: 0, max_tokens: 60, messages: [{ role: "user", content: "circle" }] };

test("after kill -9, at any moment, a batch goes on and nothing of it is paid twice", async () => {
  await using first = await languageServer();
  let server: LiveServer = first;
  const admin = async (path: string, given?: object) => {
    const asked = given && { method: "POST", body: JSON.stringify(given) };
    const headers = { authorization: `Key ${server.key}`, "content-type": "application/json" };
    return await (await fetch(`${server.origin}/admin/v1/${path}`, { ...asked, headers })).json();
  };
  const made = (await admin("keys", { name: "many", budgets: ["1000 requests/month"] })) as { id: string; key: string };
  const client = new OpenAI({ apiKey: made.key, baseURL: first.baseURL });
  const lines = ids.map((custom_id) =>
    JSON.stringify({ custom_id, method: "POST", url: "/v1/chat/completions", body }),
  );
  const input = await client.files.create({ file: new File([lines.join("\n")], "in.jsonl"), purpose: "batch" });
  const asked = { endpoint: "/v1/chat/completions" as const, completion_window: "24h" as const };
  const { id } = await client.batches.create({ input_file_id: input.id, ...asked });
  const counted = async () => (await client.batches.retrieve(id)).request_counts?.completed ?? 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const wanted = Math.min(LINES, (await counted()) + 20);
    await until(async () => (await counted()) >= wanted, `${wanted} requests are done`);
    await server.kill("SIGKILL");
    server = await startServer({ data: first.data, port: first.port });
  }
  await using last = server;
  await until(async () => (await client.batches.retrieve(id)).status === "completed", "the batch has ended", 60_000);
  const batch = await client.batches.retrieve(id);
  expect(batch.request_counts).toEqual({ total: LINES, completed: LINES, failed: 0 });
  expect(batch.error_file_id).toBeNull();
  const output = (await (await client.files.content(batch.output_file_id ?? "")).text()).trimEnd().split("\n");
  const told = output.map((line) => JSON.parse(line));
  expect(told.map(({ custom_id }) => custom_id)).toEqual(ids);
  const jobs = told.map(({ response }) => response.request_id);
  expect(new Set(jobs).size).toBe(LINES);
  const { requests } = (await admin(`usage/requests?key=${made.id}&limit=1000`)) as {
    requests: Record<string, unknown>[];
  };
  expect(requests).toHaveLength(LINES);
  expect(new Set(requests.map((row) => row.request_id))).toEqual(new Set(jobs));
  const left = await fetch(`${last.origin}/v1/models`, { headers: { authorization: `Bearer ${made.key}` } });
  expect(left.headers.get("x-forecourt-budget-remaining")).toBe(`${1000 - LINES} requests`);
}, 180_000);
