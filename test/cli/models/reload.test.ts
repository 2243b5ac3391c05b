// Model files are added, changed, broken and removed while a server runs on them and works.
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { YAML } from "bun";
import { falClientOf } from "../../clients/hosts-on-box.ts";
import { createFakeHub } from "../../support/fake-hub.ts";
import { type LiveServer, startServer, until } from "../../support/live-server.ts";
import { forecourt, newFolder, removeFolders } from "../command.ts";

setDefaultTimeout(180_000);
afterAll(removeFolders);

const text = (change: Record<string, unknown> = {}) =>
  YAML.stringify(
    {
      ...{ id: "acme/echo", title: "Echo", description: "Says it again.", category: "llm", pipeline: "echo" },
      licence: { id: "MIT", commercial: true },
      source: { embedded: "none" },
      memory: { weights: 1_000_000, working: 1_000_000 },
      price: { unit: "request", amount: 1, currency: "USD" },
      limits: { maxBatch: 8 },
      ...change,
    },
    null,
    2,
  );

/** As most editors save: beside, and then in its place. */
function save(data: string, name: string, content: string): void {
  const folder = join(data, "models");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `.${name}.new`), content);
  renameSync(join(folder, `.${name}.new`), join(folder, name));
}

/** Nobody looks at the files but when it is asked for. */
const asked = { env: { FORECOURT_MODELS_WATCH_SECONDS: "0" } };

const ask = async ({ origin, key }: LiveServer, method: string, path: string, body?: unknown) => {
  const response = await fetch(`${origin}${path}`, {
    method,
    headers: { authorization: `Key ${key}`, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: answers of many shapes, each looked at by its test
  return { status: response.status, headers: response.headers, body: (await response.json()) as any };
};
const reload = async (server: LiveServer) => (await ask(server, "POST", "/admin/v1/models/reload")).body;
const submit = async (server: LiveServer, model: string, input: object): Promise<string> =>
  (await ask(server, "POST", `/queue/${model}`, input)).body.request_id;
const statusOf = async (server: LiveServer, model: string, id: string) =>
  (await ask(server, "GET", `/queue/${model}/requests/${id}/status`)).body.status as string;
const resultOf = async (server: LiveServer, model: string, id: string) => {
  await until(async () => (await statusOf(server, model, id)) === "COMPLETED", `${id} is over`, 120_000);
  return await ask(server, "GET", `/queue/${model}/requests/${id}`);
};
const costs = async (server: LiveServer): Promise<Map<string, number>> => {
  const { body } = await ask(server, "GET", "/admin/v1/usage/requests?limit=1000");
  return new Map(
    body.requests.map((each: { request_id: string; cost: string }) => [each.request_id, Number(each.cost)]),
  );
};

test("a file that is dropped in while the server runs is found by itself, and fal's client calls its model", async () => {
  await using server = await startServer();
  save(server.data, "dropped.yaml", text());
  await until(async () => (await ask(server, "GET", "/models/acme/echo")).status === 200, "the file is found");
  const { data } = await falClientOf(server).subscribe("acme/echo", { input: { prompt: "hello" } });
  expect(data).toEqual({ prompt: "hello", steps: 1 });
  // What is being written is not taken away meanwhile: a file that is wrong keeps what it was.
  save(server.data, "dropped.yaml", text({ titel: "x" }));
  await until(async () => server.output().includes("titel is not a field"), "the mistake is told");
  expect((await falClientOf(server).subscribe("acme/echo", { input: { prompt: "again" } })).data.prompt).toBe("again");
  rmSync(join(server.data, "models", "dropped.yaml"));
  await until(async () => (await ask(server, "GET", "/models/acme/echo")).status === 404, "it is gone");
});

test("all documents, lists and prices show the models as they are, and an act is written down", async () => {
  await using server = await startServer(asked);
  const seen = async () => {
    const bodies = await Promise.all(
      [
        "/swagger/json",
        "/models",
        "/v1/models",
        "/platform/v1/models?q=acme",
        "/admin/v1/models?limit=1000",
        "/admin/v1/prices",
      ].map(async (path) => JSON.stringify((await ask(server, "GET", path)).body)),
    );
    const llms = await (await fetch(`${server.origin}/llms.txt`)).text();
    const rpc = { jsonrpc: "2.0", id: 1, method: "tools/list", params: {} };
    const tools = await fetch(`${server.origin}/mcp`, {
      method: "POST",
      headers: {
        authorization: `Key ${server.key}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
      },
      body: JSON.stringify(rpc),
    });
    return [...bodies, llms, (await tools.text()).replaceAll("acme_echo", "acme/echo")].map((each) =>
      each.includes("acme/echo"),
    );
  };
  const none = Array(8).fill(false);
  expect(await seen()).toEqual(none);
  save(server.data, "a.yaml", text());
  expect(await reload(server)).toEqual({ added: ["acme/echo"], changed: [], removed: [], wrong: [] });
  expect(await seen()).toEqual(Array(8).fill(true));
  save(server.data, "a.yaml", text({ price: { unit: "request", amount: 3, currency: "USD" } }));
  expect(await reload(server)).toMatchObject({ added: [], changed: ["acme/echo"] });
  const price = await ask(server, "GET", "/platform/v1/models/pricing?endpoint_id=acme/echo");
  expect(price.body.prices).toMatchObject([{ unit_price: 3 }]);
  expect(JSON.stringify((await ask(server, "GET", "/models/acme/echo/openapi.json")).body)).toContain(
    "3 USD per request",
  );
  rmSync(join(server.data, "models", "a.yaml"));
  expect(await reload(server)).toMatchObject({ removed: ["acme/echo"] });
  expect(await seen()).toEqual(none);
  const { body } = await ask(server, "GET", "/admin/v1/audit");
  expect(body.entries).toMatchObject(Array(3).fill({ action: "POST /admin/v1/models/reload", outcome: "done" }));
});

test("two hundred requests in flight over a change of price and default: none is lost, each pays what it came for", async () => {
  await using server = await startServer({ ...asked, models: [{ file: "models/a.yaml", text: text() }] });
  await falClientOf(server).subscribe("acme/echo", { input: { prompt: "warm" } });
  const input = (n: number) => ({ prompt: `before ${n}`, step_ms: 20 });
  const before = await Promise.all(Array.from({ length: 200 }, (_, n) => submit(server, "acme/echo", input(n))));
  const [runner] = await server.runnerPids();
  const price = { unit: "request", amount: 5, currency: "USD" };
  save(server.data, "a.yaml", text({ price, defaults: { steps: 3 } }));
  expect(await reload(server)).toMatchObject({ changed: ["acme/echo"] });
  const after = await Promise.all(
    Array.from({ length: 20 }, (_, n) => submit(server, "acme/echo", { prompt: `after ${n}` })),
  );
  for (const [n, id] of before.entries())
    expect((await resultOf(server, "acme/echo", id)).body).toEqual({ prompt: `before ${n}`, steps: 1 });
  for (const [n, id] of after.entries())
    expect((await resultOf(server, "acme/echo", id)).body).toEqual({ prompt: `after ${n}`, steps: 3 });
  const paid = await costs(server);
  expect(new Set(before.map((id) => paid.get(id)))).toEqual(new Set([1]));
  expect(new Set(after.map((id) => paid.get(id)))).toEqual(new Set([5]));
  // Nothing of this is the runner's.
  expect(await server.runnerPids()).toEqual([runner as number]);
});

test("what runs ends on the runner that it runs on, and what comes then runs on one of the model as it is now", async () => {
  await using server = await startServer({ ...asked, models: [{ file: "models/a.yaml", text: text() }] });
  await falClientOf(server).subscribe("acme/echo", { input: { prompt: "warm" } });
  const [old] = await server.runnerPids();
  const long = await submit(server, "acme/echo", { prompt: "long", steps: 40, step_ms: 100 });
  await until(async () => (await statusOf(server, "acme/echo", long)) === "IN_PROGRESS", "it runs");
  save(server.data, "a.yaml", text({ limits: { maxBatch: 4 }, aliases: ["acme/again"] }));
  await reload(server);
  const next = await resultOf(server, "acme/again", await submit(server, "acme/again", { prompt: "next" }));
  expect(next.body).toEqual({ prompt: "next", steps: 1 });
  const last = await resultOf(server, "acme/echo", long);
  expect(last.body).toEqual({ prompt: "long", steps: 40 });
  const [from, to] = [last, next].map(({ headers }) => headers.get("x-fal-served-from"));
  expect(from).not.toBe(to);
  await until(async () => !(await server.runnerPids()).includes(old as number), "the old runner is gone");
  expect(await server.runnerPids()).toHaveLength(1);
});

test("a removed model's waiting requests fail with the reason, what runs ends and is paid, results stay, its runner goes", async () => {
  const one = text({ limits: { maxBatch: 1 } });
  await using server = await startServer({ ...asked, models: [{ file: "models/a.yaml", text: one }] });
  const done = await submit(server, "acme/echo", { prompt: "done" });
  expect((await resultOf(server, "acme/echo", done)).status).toBe(200);
  const runs = await submit(server, "acme/echo", { prompt: "runs", steps: 20, step_ms: 100 });
  await until(async () => (await statusOf(server, "acme/echo", runs)) === "IN_PROGRESS", "it runs");
  const waits = await submit(server, "acme/echo", { prompt: "waits" });
  rmSync(join(server.data, "models", "a.yaml"));
  expect(await reload(server)).toMatchObject({ removed: ["acme/echo"] });
  const failed = await resultOf(server, "acme/echo", waits);
  expect([failed.status, failed.body.detail]).toEqual([
    404,
    "The model acme/echo was removed or renamed while this request waited.",
  ]);
  expect((await ask(server, "POST", "/run/acme/echo", { prompt: "late" })).status).toBe(404);
  expect((await resultOf(server, "acme/echo", runs)).body).toEqual({ prompt: "runs", steps: 20 });
  expect((await resultOf(server, "acme/echo", done)).body).toEqual({ prompt: "done", steps: 1 });
  const paid = await costs(server);
  expect([done, runs, waits].map((id) => paid.get(id))).toEqual([1, 1, 0]);
  await until(async () => (await server.runnerPids()).length === 0, "its runner is gone");
});

test("killed in the middle of a reload, the next server ends all requests, each at the price that it came for", async () => {
  const data = newFolder();
  const models = [{ file: "models/a.yaml", text: text() }];
  await using server = await startServer({ ...asked, data, models });
  const ids = await Promise.all(
    Array.from({ length: 60 }, (_, n) => submit(server, "acme/echo", { prompt: `n ${n}`, step_ms: 30 })),
  );
  save(data, "a.yaml", text({ price: { unit: "request", amount: 9, currency: "USD" }, limits: { maxBatch: 2 } }));
  const cut = ask(server, "POST", "/admin/v1/models/reload").catch(() => undefined);
  await server.kill("SIGKILL");
  await cut;
  await using next = await startServer({ ...asked, data });
  for (const [n, id] of ids.entries())
    expect((await resultOf(next, "acme/echo", id)).body).toEqual({ prompt: `n ${n}`, steps: 1 });
  const paid = await costs(next);
  expect(ids.map((id) => paid.get(id))).toEqual(ids.map(() => 1));
});

test("a wrong file stops no start: its id answers 503 with the field, everywhere it is told, and SIGHUP takes it when it is mended", async () => {
  const wrong = text({ id: "forecourt/demo-llama", pric: 1 });
  await using server = await startServer({ ...asked, models: [{ file: "models/a.yaml", text: wrong }] });
  const says = "models/a.yaml: pric is not a field of a model file";
  const run = await ask(server, "POST", "/run/forecourt/demo-llama", { prompt: "x" });
  expect([run.status, run.body.detail]).toEqual([503, expect.stringContaining(says)]);
  const chat = await ask(server, "POST", "/v1/chat/completions", {
    model: "forecourt/demo-llama",
    messages: [{ role: "user", content: "x" }],
  });
  expect([chat.status, chat.body.error.message]).toEqual([503, expect.stringContaining(says)]);
  expect((await ask(server, "GET", "/models/forecourt/demo-llama")).status).toBe(503);
  const { body } = await ask(server, "GET", "/admin/v1/models?limit=1");
  expect(body.wrong).toMatchObject([{ claims: ["forecourt/demo-llama"], keeps: null }]);
  const metrics = await fetch(`${server.origin}/metrics`, { headers: { authorization: `Key ${server.key}` } });
  expect(await metrics.text()).toContain("forecourt_model_files_wrong 1\n");
  expect(server.output()).toContain("pric is not a field");
  const words = ["--data", server.data];
  const [listed, told] = [
    await forecourt(["models", "list", ...words]),
    await forecourt(["models", "reload", ...words]),
  ];
  expect([listed.exitCode, listed.stderr]).toEqual([0, expect.stringContaining("pric is not a field")]);
  expect([told.exitCode, told.stderr]).toEqual([1, expect.stringContaining("pric is not a field")]);
  save(server.data, "a.yaml", text({ id: "forecourt/demo-llama" }));
  process.kill(server.pid, "SIGHUP");
  await until(
    async () => (await ask(server, "POST", "/run/forecourt/demo-llama", { prompt: "x" })).status === 200,
    "it runs",
  );
  expect(existsSync(join(server.data, "server.address"))).toBe(true);
});

test("without a server the files are looked through, and the exit code says whether one is wrong", async () => {
  const data = newFolder();
  save(data, "a.yaml", text());
  const reload = () => forecourt(["models", "reload", "--data", data, "--port", "1"]);
  expect(await reload()).toMatchObject({ exitCode: 0, stderr: expect.stringContaining("No server runs") });
  save(data, "b.yaml", text({ title: "Rival" }));
  const ended = await reload();
  expect(ended.exitCode).toBe(1);
  for (const name of ["a.yaml", "b.yaml"]) expect(ended.stderr).toContain(`${name}: the id acme/echo is already taken`);
});

test("a model that is added while a server runs on its directory is callable when the command ends", async () => {
  const config = { model_type: "bert", architectures: ["BertModel"], hidden_size: 8 };
  const tokenizer = { version: "1.0", model: { type: "WordPiece", vocab: {} } };
  const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  const files = {
    "config.json": bytes(config),
    "tokenizer.json": bytes(tokenizer),
    "tokenizer_config.json": bytes({}),
    "onnx/model.onnx": new Uint8Array(64),
  };
  await using hub = createFakeHub({ repos: { "tiny/embedder": { files } } });
  const env = { FORECOURT_HUB_ENDPOINT: hub.endpoint, HF_HOME: "/nonexistent", ...asked.env };
  await using server = await startServer({ env });
  const added = await forecourt(["models", "add", "tiny/embedder", "--data", server.data], env);
  expect([added.exitCode, added.stderr]).toEqual([0, expect.stringContaining("The running server knows it now.")]);
  expect((await ask(server, "GET", "/models/tiny/embedder")).status).toBe(200);
});
