// Names of OpenAI's own models, given to models of this box by the operator's settings, as OpenAI's client sends them.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import OpenAI, { NotFoundError, toFile } from "openai";
import { languageServer, MODEL } from "./language-server.ts";

const names = {
  "gpt-4o-mini": MODEL,
  "openai/gpt-4o": "openai/gpt-tiny",
  "text-embedding-3-small": "test/embed",
  "whisper-1": "test/transcribe",
  "tts-1": "test/speak",
  "gpt-image-1": ["test/text-to-image", "test/image-to-image", "test/inpaint"],
  "gpt-5": "nobody/nothing",
};

let server: Awaited<ReturnType<typeof languageServer>>;
let client: OpenAI;
beforeAll(async () => {
  server = await languageServer({
    env: { FORECOURT_OPENAI_MODELS: JSON.stringify(names), FORECOURT_OPENAI_VOICES: '{"alloy": "default"}' },
  });
  client = new OpenAI({ apiKey: server.key, baseURL: server.baseURL, maxRetries: 0 });
}, 60_000);
afterAll(() => server[Symbol.asyncDispose]());
setDefaultTimeout(60_000);

const sent = async <T>(asked: PromiseLike<T>) => await asked;
const messages = [{ role: "user" as const, content: "What colour is the circle?" }];

test("models are listed and shown by the names that they were given too, but for one that leads nowhere", async () => {
  const listed = new Map<string, { id: string; root?: string }>();
  for await (const model of client.models.list()) listed.set(model.id, model);
  expect(listed.get("gpt-4o-mini")).toMatchObject({ root: MODEL, object: "model", owned_by: "test" });
  expect(listed.get("gpt-image-1")).toMatchObject({ root: "test/text-to-image" });
  expect(listed.has(MODEL)).toBeTrue();
  expect(listed.has("gpt-5")).toBeFalse();
  expect(await client.models.retrieve("openai/gpt-4o")).toMatchObject({ id: "openai/gpt-4o", root: MODEL });
  expect(server.output()).toContain("nobody/nothing");
  const nowhere = sent(client.chat.completions.create({ model: "gpt-5", messages }));
  await expect(nowhere).rejects.toMatchObject({ status: 404, code: "model_not_found", param: "model" });
  await expect(nowhere).rejects.toThrow(/openai\.models gives this name to nobody\/nothing/);
});

test("a chat, a response and an embedding by OpenAI's names are those of the models behind them", async () => {
  const asked = { messages, temperature: 0, max_tokens: 8 };
  const named = await client.chat.completions.create({ ...asked, model: "gpt-4o-mini" });
  const own = await client.chat.completions.create({ ...asked, model: MODEL });
  expect(named.model).toBe("gpt-4o-mini");
  expect(named.choices).toEqual(own.choices);
  const response = await client.responses.create({ model: "openai/gpt-4o", input: "Hello", max_output_tokens: 16 });
  expect(response.output_text.length).toBeGreaterThan(0);
  const [one, other] = await Promise.all(
    ["text-embedding-3-small", "test/embed"].map((model) => client.embeddings.create({ model, input: "circle" })),
  );
  expect(one?.data).toEqual(other?.data ?? []);
  const wrong = sent(client.embeddings.create({ model: "gpt-4o-mini", input: "circle" }));
  await expect(wrong).rejects.toThrow(/not for this.*chat\/completions/);
});

test("speech and what was said go by their names", async () => {
  const spoken = await client.audio.speech.create({
    model: "tts-1",
    voice: "alloy",
    input: "hello",
    response_format: "wav",
  });
  const file = await toFile(Buffer.from(await spoken.arrayBuffer()), "said.wav", { type: "audio/wav" });
  const { text } = await client.audio.transcriptions.create({ model: "whisper-1", file });
  expect(text).toBeString();
  const unknown = sent(client.audio.speech.create({ model: "tts-1", voice: "nova", input: "hello" }));
  await expect(unknown).rejects.toMatchObject({ status: 400, param: "voice" });
});

test("one name for several models means the one that serves the kind of request", async () => {
  const asked = { model: "gpt-image-1", prompt: "a big red circle on a blue ground" };
  const drawn = await client.images.generate(asked);
  expect(drawn.data).toHaveLength(1);
  const bytes = await readFile(join(import.meta.dir, "../../reference/demo-clip/red-circle-on-blue.png"));
  const image = await toFile(bytes, "a.png", { type: "image/png" });
  const { data, response } = await client.images.edit({ ...asked, image }).withResponse();
  expect(data.data).toHaveLength(1);
  expect(response.headers.get("x-request-id")).toBeString();
});

test("fal's router knows the names too", async () => {
  const headers = { authorization: `Key ${server.key}`, "content-type": "application/json" };
  const body = JSON.stringify({ model: "openai/gpt-4o", prompt: "Hello", max_tokens: 4 });
  const answer = await fetch(`${server.origin}/run/openrouter/router`, { method: "POST", headers, body });
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ output: expect.any(String) });
});

test("a key that may not use the model behind a name neither sees the name nor gets anything by it", async () => {
  const made = await fetch(`${server.origin}/admin/v1/keys`, {
    method: "POST",
    headers: { authorization: `Key ${server.key}`, "content-type": "application/json" },
    body: JSON.stringify({ name: "embeds only", models: ["test/embed"] }),
  });
  const { key } = (await made.json()) as { key: string };
  const limited = new OpenAI({ apiKey: key, baseURL: server.baseURL, maxRetries: 0 });
  const seen: string[] = [];
  for await (const { id } of limited.models.list()) seen.push(id);
  expect(seen.sort()).toEqual(["test/embed", "text-embedding-3-small"]);
  await expect(sent(limited.models.retrieve("gpt-4o-mini"))).rejects.toBeInstanceOf(NotFoundError);
  const refused = sent(limited.chat.completions.create({ model: "gpt-4o-mini", messages }));
  await expect(refused).rejects.toMatchObject({ status: 403 });
});
