// Files and batches by OpenAI's own JavaScript client, unmodified: sent, carried out, read back, cancelled, refused.
import { expect, test } from "bun:test";
import type OpenAI from "openai";
import { proved } from "../../support/conformance.ts";
import { asked, languageBox, sent } from "./language-box.ts";
import { MODEL } from "./language-server.ts";

const box = languageBox();

const file = (lines: (object | string)[], name = "requests.jsonl") =>
  new File([lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n")], name);
const request = (custom_id: string, body: object, url = "/v1/chat/completions") => ({
  ...{ custom_id, method: "POST", url, body },
});
const chat = (content: string) => ({
  ...{ model: MODEL, temperature: 0, max_tokens: 12 },
  messages: [{ role: "user" as const, content }],
});

async function begun(
  lines: (object | string)[],
  endpoint: OpenAI.BatchCreateParams["endpoint"] = "/v1/chat/completions",
) {
  const input = await box.client.files.create({ file: file(lines), purpose: "batch" });
  return await box.client.batches.create({ input_file_id: input.id, endpoint, completion_window: "24h" });
}

async function ended(id: string): Promise<OpenAI.Batch> {
  for (;;) {
    const batch = await box.client.batches.retrieve(id);
    if (["completed", "failed", "expired", "cancelled"].includes(batch.status)) return batch;
    await Bun.sleep(50);
  }
}

type Line = {
  id: string;
  custom_id: string;
  response: {
    status_code: number;
    request_id: string;
    body: OpenAI.ChatCompletion & { error?: { code: string } };
  } | null;
  error: { code: string; message: string } | null;
};
const linesOf = async (id = "") =>
  (await (await box.client.files.content(id)).text())
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);

test("a file is sent, told, listed, read and deleted, by its key alone", async () => {
  const made = await box.client.files.create({ file: file([{ a: 1 }], "ä b.jsonl"), purpose: "batch" });
  expect(made).toMatchObject({
    object: "file",
    bytes: 7,
    filename: "ä b.jsonl",
    purpose: "batch",
    status: "processed",
  });
  expect((made.expires_at ?? 0) - made.created_at).toBe(2_592_000);
  expect(await box.client.files.retrieve(made.id)).toEqual(made);
  expect(await (await box.client.files.content(made.id)).text()).toBe('{"a":1}');
  const short = { anchor: "created_at" as const, seconds: 3600 };
  const second = await box.client.files.create({ file: file(["x"]), purpose: "batch", expires_after: short });
  expect((second.expires_at ?? 0) - second.created_at).toBe(3600);
  const listed: string[] = [];
  for await (const each of box.client.files.list({ limit: 1, order: "asc", purpose: "batch" })) listed.push(each.id);
  expect(listed).toEqual([made.id, second.id]);
  expect((await box.client.files.list()).data.map(({ id }) => id)).toEqual([second.id, made.id]);
  const other = await box.stranger();
  expect((await other.files.list()).data).toEqual([]);
  for (const ask of [
    () => other.files.retrieve(made.id),
    () => other.files.content(made.id),
    () => other.files.delete(made.id),
  ])
    await expect(sent<unknown>(ask())).rejects.toMatchObject({ status: 404 });
  const [, token = ""] = made.id.split("file-");
  expect((await fetch(`${box.server.origin}/cdn/files/b/${token}/_b.jsonl`)).status).toBe(404);
  expect(await box.client.files.delete(made.id)).toEqual({ id: made.id, object: "file", deleted: true });
  await expect(sent(box.client.files.retrieve(made.id))).rejects.toMatchObject({ status: 404 });
  const wrong = sent(box.client.files.create({ file: file(["x"]), purpose: "assistants" }));
  await expect(wrong).rejects.toMatchObject({ status: 400, param: "purpose" });
  proved("openai-js", "files");
});

test("a batch gives what its requests would have been given alone, and says which failed", async () => {
  const { id, status, request_counts } = await begun([
    request("one", chat("What colour is the circle?")),
    request("wrong", { ...chat("x"), temperature: 9 }),
    request("several", { ...chat("And its size?"), n: 2 }),
    request("nobody", { ...chat("x"), model: "nobody/nothing" }),
  ]);
  expect([status, request_counts]).toEqual(["validating", { total: 0, completed: 0, failed: 0 }]);
  const batch = await ended(id);
  expect(batch).toMatchObject({
    ...{
      object: "batch",
      status: "completed",
      endpoint: "/v1/chat/completions",
      completion_window: "24h",
      errors: null,
    },
    ...{ request_counts: { total: 4, completed: 2, failed: 2 }, model: MODEL, metadata: {} },
    ...{ failed_at: null, cancelled_at: null, expired_at: null, cancelling_at: null },
  });
  for (const at of [batch.created_at, batch.in_progress_at, batch.finalizing_at, batch.completed_at])
    expect(at).toBeGreaterThan(1e9);
  expect((batch.expires_at ?? 0) - batch.created_at).toBe(86_400);
  const [one, several] = await linesOf(batch.output_file_id);
  const used = [one, several].map((line) => line?.response?.body.usage);
  const sum = (of: "prompt_tokens" | "completion_tokens" | "total_tokens") =>
    used.reduce((all, usage) => all + (usage?.[of] ?? Number.NaN), 0);
  const cached = used.reduce((all, usage) => all + (usage?.prompt_tokens_details?.cached_tokens ?? 0), 0);
  expect(batch.usage).toEqual({
    ...{ input_tokens: sum("prompt_tokens"), input_tokens_details: { cached_tokens: cached } },
    ...{ output_tokens: sum("completion_tokens"), output_tokens_details: { reasoning_tokens: 0 } },
    total_tokens: sum("total_tokens"),
  });
  const alone = await box.client.chat.completions.create(chat("What colour is the circle?"));
  expect(one).toMatchObject({ custom_id: "one", error: null, response: { status_code: 200 } });
  expect(one?.response?.body.choices).toEqual(alone.choices);
  expect(one?.response?.body.usage).toMatchObject({ ...alone.usage, prompt_tokens_details: expect.anything() });
  expect(several?.response?.body.choices).toHaveLength(2);
  const [wrong, nobody] = await linesOf(batch.error_file_id);
  expect(wrong).toMatchObject({ custom_id: "wrong", response: { status_code: 400 } });
  expect(nobody).toMatchObject({ response: { status_code: 404, body: { error: { code: "model_not_found" } } } });
  const files = (await box.client.files.list({ purpose: "batch_output" as never })).data;
  expect(files.map((each) => each.id).toSorted()).toEqual(
    [batch.output_file_id, batch.error_file_id].toSorted() as never,
  );
  await expect(sent(box.client.batches.cancel(id))).rejects.toMatchObject({ status: 400 });
  proved("openai-js", "batches");
});

test("other endpoints are served too", async () => {
  const responses = await begun([request("a", asked, "/v1/responses")], "/v1/responses");
  const bodies = [{ model: "test/embed", input: ["one", "two"] }];
  const embeddings = await begun(
    bodies.map((body, at) => request(`e${at}`, body, "/v1/embeddings")),
    "/v1/embeddings",
  );
  const [answer] = await linesOf((await ended(responses.id)).output_file_id);
  const { output_text } = await box.client.responses.create(asked);
  expect(JSON.stringify(answer?.response?.body)).toContain(JSON.stringify(output_text));
  const batch = await ended(embeddings.id);
  expect([batch.status, batch.request_counts?.total]).toEqual(["completed", 1]);
});

test("a file that is no good is refused as a whole, line by line", async () => {
  const { id } = await begun([
    "{",
    request("a", chat("x"), "/v1/embeddings"),
    { custom_id: "b", method: "GET", url: "/v1/chat/completions", body: {} },
    request("c", { ...chat("x"), stream: true }),
    request("d", chat("x")),
    request("d", chat("x")),
    "",
    "[".repeat(100_000),
  ]);
  const batch = await ended(id);
  expect(batch.status).toBe("failed");
  expect(batch.failed_at).toBeGreaterThan(1e9);
  expect(batch.errors?.data).toMatchObject([
    { code: "invalid_json_line", line: 1 },
    { line: 2, param: "url" },
    { line: 3, param: "method" },
    { line: 4, param: "body.stream" },
    { line: 6, param: "custom_id" },
    { line: 8 },
  ]);
  expect([batch.output_file_id, batch.error_file_id]).toEqual([null, null] as never);
  expect(await ended((await begun(["", ""])).id)).toMatchObject({
    status: "failed",
    errors: { data: [{ code: "empty_file" }] },
  });
});

test("what is wrong with a batch itself is said by its field", async () => {
  const input = await box.client.files.create({ file: file([request("a", chat("x"))]), purpose: "batch" });
  const create = (change: object) =>
    sent(
      box.client.batches.create({
        ...{ input_file_id: input.id, endpoint: "/v1/chat/completions", completion_window: "24h" },
        ...change,
      }),
    );
  await expect(create({ endpoint: "/v1/videos" })).rejects.toMatchObject({ status: 400, param: "endpoint" });
  await expect(create({ completion_window: "1h" })).rejects.toMatchObject({ status: 400, param: "completion_window" });
  await expect(create({ input_file_id: "file-nothing" })).rejects.toMatchObject({ status: 404 });
  const other = await box.stranger();
  const theirs = {
    input_file_id: input.id,
    endpoint: "/v1/chat/completions" as const,
    completion_window: "24h" as const,
  };
  await expect(sent(other.batches.create(theirs))).rejects.toMatchObject({ status: 404 });
  await expect(sent(box.client.batches.retrieve("batch_nothing"))).rejects.toMatchObject({ status: 404 });
});

test("batches are listed in pages, the latest first, to their key alone", async () => {
  const [first, second] = [await begun([request("a", chat("x"))]), await begun([request("a", chat("x"))])];
  const listed: string[] = [];
  for await (const { id } of box.client.batches.list({ limit: 1 })) listed.push(id);
  expect(listed.slice(0, 2)).toEqual([second.id, first.id]);
  const other = await box.stranger();
  expect((await other.batches.list()).data).toEqual([]);
  await expect(sent(other.batches.retrieve(first.id))).rejects.toMatchObject({ status: 404 });
  await expect(sent(other.batches.cancel(first.id))).rejects.toMatchObject({ status: 404 });
  await Promise.all([ended(first.id), ended(second.id)]);
});

test("a cancelled batch keeps what was done, and begins nothing more", async () => {
  const lines = Array.from({ length: 400 }, (_, at) => request(`n${at}`, { ...chat("circle"), max_tokens: 200 }));
  const { id } = await begun(lines);
  for (let done = 0; done === 0; await Bun.sleep(10))
    done = (await box.client.batches.retrieve(id)).request_counts?.completed ?? 0;
  expect((await box.client.batches.cancel(id)).status).toBe("cancelling");
  const batch = await ended(id);
  const { completed = 0, total } = batch.request_counts ?? {};
  expect([batch.status, total]).toEqual(["cancelled", 400]);
  expect(batch.cancelled_at).toBeGreaterThanOrEqual(batch.cancelling_at ?? Number.POSITIVE_INFINITY);
  expect(completed).toBeLessThan(400);
  expect(await linesOf(batch.output_file_id)).toHaveLength(completed);
});
