// Pictures in messages by OpenAI's own JavaScript client, unmodified, and by fal's, to a tiny model of random weights: its
// answers are the ones that Python gives.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFalClient, type FalClient } from "@fal-ai/client";
import OpenAI from "openai";
import {
  openAiMessages,
  picture,
  SEEING,
  type Seeing,
  seeingFolder,
  seenBy,
} from "../../engine/support/vision-language.ts";
import { proved } from "../../support/conformance.ts";
import { startServer } from "../../support/live-server.ts";

const modelFile = (id: string, folder: string, aliases: readonly string[] = []) => `
id: test/${id}
aliases: [${aliases.join(", ")}]
title: Tiny ${id}
description: Random weights.
category: vision
licence: { id: Apache-2.0, commercial: true }
pipeline: chat
source: { path: ${folder} }
memory: { weights: 1000000, working: 1000000 }
price: { unit: input_token, amount: 0.001, currency: USD }
limits: { maxBatch: 4 }
defaults: { max_tokens: 20, temperature: 0 }
`;

const LLAMA = join(import.meta.dir, "../../reference/language/llama");
const MOONDREAM = "acme/moondream";

let server: Awaited<ReturnType<typeof startServer>>;
let data: string;
let client: OpenAI;
let fal: FalClient;
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), "forecourt-pictures-"));
  await mkdir(join(data, "models"));
  const write = (id: string, text: string) => writeFile(join(data, "models", `${id}.yaml`), text);
  for (const family of SEEING) await write(family, modelFile(family, seeingFolder(family)));
  const endpoint = `endpoints: { ${MOONDREAM}: { like: fal-ai/moondream2/visual-query } }\n`;
  await write("asked", `${modelFile("asked", seeingFolder("smolvlm"))}${endpoint}`);
  await write("llama", modelFile("llama", LLAMA));
  server = await startServer({ data });
  client = new OpenAI({ apiKey: server.key, baseURL: `${server.origin}/v1`, maxRetries: 0 });
  fal = createFalClient({
    credentials: server.key,
    proxyUrl: { url: `${server.origin}/fal/proxy`, when: "always" },
  });
}, 60_000);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(data, { recursive: true, force: true });
});
setDefaultTimeout(120_000);

const first = (family: Seeing) => {
  const [answer] = seenBy(family);
  if (!answer) throw new Error("there is an answer");
  return answer;
};
// The client's types part messages by their roles.
const messagesOf = (answer: Parameters<typeof openAiMessages>[0]) =>
  openAiMessages(answer) as unknown as OpenAI.ChatCompletionMessageParam[];

for (const family of SEEING) {
  const model = `test/${family}`;
  const settings = { model, temperature: 0, max_tokens: 20 };

  test(`${family}: chat completions answer about pictures what Python answers, several and in both details`, async () => {
    for (const answer of seenBy(family)) {
      const { choices, usage } = await client.chat.completions.create({ ...settings, messages: messagesOf(answer) });
      expect(choices[0]?.message.content).toBe(answer.text);
      expect(usage).toMatchObject({ prompt_tokens: answer.ids.length, completion_tokens: answer.new.length });
    }
    proved("openai-js", "chat-pictures");
  });

  test(`${family}: a stream says the same, and its usage counts the pictures' tokens`, async () => {
    const answer = first(family);
    const stream = await client.chat.completions.create({
      ...{ ...settings, messages: messagesOf(answer) },
      stream: true,
      stream_options: { include_usage: true },
    });
    let said = "";
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const chunk of stream) {
      said += chunk.choices[0]?.delta.content ?? "";
      usage = chunk.usage ?? usage;
    }
    expect(said).toBe(answer.text);
    expect(usage?.prompt_tokens).toBe(answer.ids.length);
  });

  test(`${family}: responses take input_image`, async () => {
    const answer = first(family);
    const content = (answer.messages[0]?.content ?? []).map((part) =>
      part.type === "text"
        ? { type: "input_text" as const, text: part.text }
        : { type: "input_image" as const, image_url: picture(part.image), detail: "auto" as const },
    );
    const input = [{ role: "user" as const, content }];
    const response = await client.responses.create({ model, input, temperature: 0, max_output_tokens: 20 });
    expect(response.output_text).toBe(answer.text);
    expect(response.usage?.input_tokens).toBe(answer.ids.length);
    expect((await client.responses.inputTokens.count({ model, input })).input_tokens).toBe(answer.ids.length);
  });
}

const asked = async (model: string, url: string, times = 1) =>
  await client.chat.completions.create({
    model,
    messages: [{ role: "user", content: new Array(times).fill({ type: "image_url", image_url: { url } }) }],
  });

test("a picture at an address within the company is not fetched", async () => {
  await expect(asked("test/smolvlm", "http://10.0.0.1/picture.png")).rejects.toMatchObject({ status: 400 });
});

test("what is no picture, a picture for a model of text, and too many are refused", async () => {
  const small = picture("families/picture.png");
  await expect(asked("test/smolvlm", "data:image/png;base64,AAAA")).rejects.toMatchObject({ status: 400 });
  await expect(asked("test/llama", small)).rejects.toMatchObject({
    status: 400,
    message: expect.stringContaining("reads text only"),
  });
  await expect(asked("test/smolvlm", small, 33)).rejects.toMatchObject({
    status: 400,
    message: expect.stringContaining("33 pictures"),
  });
});

test("fal's client asks the same in fal's words", async () => {
  const answer = first("smolvlm");
  const [image, words] = answer.messages[0]?.content ?? [];
  if (image?.type !== "image" || words?.type !== "text") throw new Error("a picture and a question");
  const [image_url, prompt] = [picture(image.image), words.text];
  const run = async (endpoint: string, input: object) =>
    (await fal.run(endpoint, { input: input as never })).data as { output: string };
  expect(await run(MOONDREAM, { image_url, prompt })).toEqual({ output: answer.text });
  await expect(run(MOONDREAM, { image_url })).rejects.toMatchObject({ status: 422 });
  // Routers put the words first.
  const turned = { messages: [{ role: "user", content: [words, image] }], detail: "auto" as const };
  const wanted = await client.chat.completions.create({
    ...{ model: "test/smolvlm", messages: messagesOf(turned), temperature: 0, max_tokens: 20 },
  });
  for (const router of ["openrouter/router/vision", "fal-ai/any-llm/vision"]) {
    const input = { model: "test/smolvlm", prompt, image_urls: [image_url], temperature: 0, max_tokens: 20 };
    expect((await run(router, input)).output).toBe(wanted.choices[0]?.message.content ?? "");
  }
});
