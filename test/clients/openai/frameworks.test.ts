// Vercel's AI SDK (OpenAI-compatible provider) and LangChain JS, unmodified: text, streams, tools, schemas, embeddings, errors.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { tool as langChainTool } from "@langchain/core/tools";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { APICallError, embedMany, generateImage, generateText, jsonSchema, Output, streamText, tool } from "ai";
import { languageServer, MODEL } from "./language-server.ts";

let server: Awaited<ReturnType<typeof languageServer>>;
beforeAll(async () => {
  server = await languageServer();
}, 60_000);
afterAll(() => server[Symbol.asyncDispose]());
setDefaultTimeout(60_000);

const prompt = "What colour is the circle?";
const shape = {
  type: "object" as const,
  properties: { shape: { type: "string" as const, enum: ["circle", "star"] } },
  required: ["shape"],
  additionalProperties: false,
};

/** What the model says, by plain HTTP. */
async function said(body: object): Promise<string> {
  const answer = await fetch(`${server.baseURL}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: MODEL, temperature: 0, messages: [{ role: "user", content: prompt }], ...body }),
  });
  const { choices } = (await answer.json()) as { choices: { message: { content: string } }[] };
  return choices[0]?.message.content ?? "";
}

const vercel = (apiKey = server.key) =>
  createOpenAICompatible({
    ...{ name: "forecourt", baseURL: server.baseURL, apiKey },
    ...{ includeUsage: true, supportsStructuredOutputs: true },
  });

test("the AI SDK generates, streams and counts", async () => {
  const asked = { model: vercel()(MODEL), prompt, temperature: 0, maxOutputTokens: 12, maxRetries: 0 };
  const whole = await generateText(asked);
  expect(whole.text).toBe(await said({ max_tokens: 12 }));
  expect(whole).toMatchObject({ finishReason: "length", usage: { outputTokens: 12 } });
  const streamed = streamText(asked);
  let text = "";
  for await (const part of streamed.textStream) text += part;
  expect(text).toBe(whole.text);
  expect((await streamed.usage).outputTokens).toBe(12);
});

test("the AI SDK's tools are called with arguments that keep to their schema, and its objects to theirs", async () => {
  const asked = { model: vercel()(MODEL), prompt, temperature: 0, maxOutputTokens: 200, maxRetries: 0 };
  const find = tool({ description: "Finds a shape", inputSchema: jsonSchema<{ shape: string }>(shape) }) as never; // its type wants undefined to be allowed
  const { toolCalls } = await generateText({ ...asked, tools: { find }, toolChoice: "required" });
  expect(toolCalls.map(({ toolName }) => toolName)).toContain("find");
  for (const { input } of toolCalls) expect(shape.properties.shape.enum).toContain((input as { shape: string }).shape);
  const { output } = await generateText({
    ...asked,
    output: Output.object({ schema: jsonSchema<{ shape: string }>(shape) }),
  });
  expect(shape.properties.shape.enum).toContain(output.shape);
});

test("the AI SDK embeds and draws", async () => {
  const { embeddings } = await embedMany({
    ...{ model: vercel().embeddingModel("test/embed"), values: ["red", "blue"], maxRetries: 0 },
  });
  expect(embeddings).toHaveLength(2);
  expect(embeddings[0]).not.toEqual(embeddings[1]);
  const { images } = await generateImage({
    ...{ model: vercel().imageModel("test/text-to-image"), prompt: "a red circle", size: "128x128", maxRetries: 0 },
  });
  expect(Buffer.from(images[0]?.uint8Array.slice(1, 4) ?? []).toString()).toBe("PNG");
});

test("the AI SDK meets errors as errors that it knows", async () => {
  const failed = async (model: string, key?: string) =>
    await generateText({ model: vercel(key)(model), prompt, maxRetries: 0 }).catch((error: unknown) => error);
  const unknown = await failed("gpt-4o");
  expect(APICallError.isInstance(unknown) && [unknown.statusCode, unknown.isRetryable]).toEqual([404, false]);
  const stranger = await failed(MODEL, "nobody:nothing");
  expect(APICallError.isInstance(stranger) && stranger.statusCode).toBe(401);
});

const langChain = (more: object = {}) =>
  new ChatOpenAI({
    ...{ model: MODEL, apiKey: server.key, temperature: 0, maxTokens: 12, maxRetries: 0 },
    configuration: { baseURL: server.baseURL },
    ...more,
  });

test("LangChain answers and streams, by chat completions and by responses", async () => {
  const wanted = await said({ max_tokens: 12 });
  for (const useResponsesApi of [false, true]) {
    const model = langChain({ useResponsesApi });
    const whole = await model.invoke(prompt);
    expect(whole.text).toBe(wanted);
    expect(whole.usage_metadata).toMatchObject({ output_tokens: 12 });
    let text = "";
    for await (const chunk of await model.stream(prompt)) text += chunk.text;
    expect(text).toBe(wanted);
  }
});

test("LangChain's tools and structured output keep to their schemas", async () => {
  const find = langChainTool(({ shape: found }: { shape: string }) => found, {
    ...{ name: "find", description: "Finds a shape", schema: shape },
  });
  const calling = langChain({ maxTokens: 200 }).bindTools([find], { tool_choice: "required" });
  const { tool_calls } = await calling.invoke(prompt);
  expect(shape.properties.shape.enum).toContain(tool_calls?.[0]?.args.shape);
  for (const method of ["jsonSchema", "functionCalling"] as const) {
    const structured = langChain({ maxTokens: 200 }).withStructuredOutput(shape, { name: "found", method });
    expect(shape.properties.shape.enum).toContain((await structured.invoke(prompt)).shape);
  }
});

test("LangChain embeds texts and queries, and throws what is wrong", async () => {
  const model = new OpenAIEmbeddings({
    ...{ model: "test/embed", apiKey: server.key, maxRetries: 0 },
    configuration: { baseURL: server.baseURL },
  });
  const [first, second] = await model.embedDocuments(["red", "blue"]);
  expect(first).not.toEqual(second);
  expect(await model.embedQuery("red")).toEqual(first ?? []);
  await expect(langChain({ model: "gpt-4o" }).invoke(prompt)).rejects.toMatchObject({ status: 404 });
});
