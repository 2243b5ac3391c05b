// Vercel's AI SDK (OpenAI-compatible provider) and LangChain JS, unmodified: text, streams, tools, schemas, embeddings, errors.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { HumanMessage } from "@langchain/core/messages";
import { tool as langChainTool } from "@langchain/core/tools";
import { ChatOpenAI, OpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { APICallError, embedMany, generateImage, generateText, jsonSchema, Output, streamText, tool } from "ai";
import { proved } from "../../support/conformance.ts";
import { BRIEF } from "./brevity.ts";
import { MODEL } from "./language-server.ts";
import { PICTURE, SEEING, type WholeServer, wholeServer } from "./whole-server.ts";

let server: WholeServer;
beforeAll(async () => {
  server = await wholeServer();
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
  const goesOn = { ...asked, model: vercel().completionModel(MODEL), prompt: "The circle" };
  expect((await generateText(goesOn)).usage.outputTokens).toBe(12);
  proved("ai-sdk-openai", "chat", "chat-stream", "completions");
});

test("the AI SDK shows pictures, and gives up when it is told to", async () => {
  const content = [
    { type: "text" as const, text: "What is it?" },
    { type: "image" as const, image: PICTURE },
  ];
  const shown = { messages: [{ role: "user" as const, content }], maxOutputTokens: 8, maxRetries: 0 };
  const { usage } = await generateText({ model: vercel()(SEEING), ...shown });
  expect(usage.inputTokens).toBeGreaterThan(64);
  const abortSignal = AbortSignal.timeout(20);
  const hurried = generateText({ model: vercel()(MODEL), prompt, maxOutputTokens: 900, maxRetries: 0, abortSignal });
  await expect(hurried).rejects.toMatchObject({ name: "TimeoutError" });
  proved("ai-sdk-openai", "chat-pictures", "timeout");
});

test("the AI SDK's tools are called with arguments that keep to their schema, and its objects to theirs", async () => {
  const asked = { model: vercel()(MODEL), prompt, temperature: 0, maxOutputTokens: 200, maxRetries: 0 };
  const find = tool({ description: "Finds a shape", inputSchema: jsonSchema<{ shape: string }>(shape) }) as never; // its type wants undefined to be allowed
  const { toolCalls } = await generateText({ ...asked, tools: { find }, toolChoice: "required" });
  expect(toolCalls.map(({ toolName }) => toolName)).toContain("find");
  for (const { input } of toolCalls) expect(shape.properties.shape.enum).toContain((input as { shape: string }).shape);
  const streamed = await streamText({ ...asked, tools: { find }, toolChoice: "required" }).toolCalls;
  expect(streamed.map(({ input }) => input)).toEqual(toolCalls.map(({ input }) => input));
  const { output } = await generateText({
    ...asked,
    output: Output.object({ schema: jsonSchema<{ shape: string }>(shape) }),
  });
  expect(shape.properties.shape.enum).toContain(output.shape);
  proved("ai-sdk-openai", "chat-tools", "chat-tools-stream", "chat-schema");
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
  proved("ai-sdk-openai", "embeddings", "images");
});

test("the AI SDK meets errors as errors that it knows", async () => {
  const failed = async (model: string, key?: string) =>
    await generateText({ model: vercel(key)(model), prompt, maxRetries: 0 }).catch((error: unknown) => error);
  const unknown = await failed("gpt-4o");
  expect(APICallError.isInstance(unknown) && [unknown.statusCode, unknown.isRetryable]).toEqual([404, false]);
  const stranger = await failed(MODEL, "nobody:nothing");
  expect(APICallError.isInstance(stranger) && stranger.statusCode).toBe(401);
  const hot = await generateText({ model: vercel()(MODEL), prompt, temperature: 9, maxRetries: 0 }).catch(
    (error) => error,
  );
  expect(APICallError.isInstance(hot) && [hot.statusCode, hot.message.includes("temperature")]).toEqual([400, true]);
  proved("ai-sdk-openai", "error-unknown", "error-auth", "error-input");
});

/** Of the prompt. */
const tokensOf = ({ usage_metadata: usage }: { usage_metadata?: unknown }) =>
  (usage as { input_tokens: number } | undefined)?.input_tokens ?? 0; // LangChain's type is never for some of its messages

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
  const first = await langChain({ useResponsesApi: true }).invoke(prompt);
  const second = await langChain({ useResponsesApi: true }).invoke("And its size?", {
    previous_response_id: String(first.response_metadata.id),
  } as never);
  expect(tokensOf(second)).toBeGreaterThan(tokensOf(first));
  proved("langchain-js", "chat", "chat-stream", "responses", "responses-stream", "responses-previous");
});

test("LangChain gives several answers, log probabilities, texts that go on, and shows pictures", async () => {
  const { generations } = await langChain({ n: 2, temperature: 1 }).generate([[new HumanMessage(prompt)]]);
  expect(generations[0]).toHaveLength(2);
  const scored = await langChain({ logprobs: true, topLogprobs: 2 }).invoke(prompt);
  expect((scored.response_metadata.logprobs as { content: unknown[] }).content).toHaveLength(12);
  const goesOn = new OpenAI({
    ...{ model: MODEL, apiKey: server.key, temperature: 0, maxTokens: 6, maxRetries: 0 },
    configuration: { baseURL: server.baseURL },
  });
  expect((await goesOn.invoke("The circle")).length).toBeGreaterThan(0);
  const image_url = { url: PICTURE };
  const seen = await langChain({ model: SEEING }).invoke([
    new HumanMessage({
      content: [
        { type: "text", text: "What is it?" },
        { type: "image_url", image_url },
      ],
    }),
  ]);
  expect(tokensOf(seen)).toBeGreaterThan(64);
  proved("langchain-js", "chat-n", "chat-logprobs", "completions", "chat-pictures");
});

test("LangChain's tools and structured output keep to their schemas", async () => {
  const find = langChainTool(({ shape: found }: { shape: string }) => found, {
    ...{ name: "find", description: "Finds a shape", schema: shape },
  });
  const calling = langChain({ maxTokens: 200 }).bindTools([find], { tool_choice: "required" });
  const { tool_calls } = await calling.invoke(prompt);
  expect(shape.properties.shape.enum).toContain(tool_calls?.[0]?.args.shape);
  let text = "";
  for await (const chunk of await calling.stream(prompt)) text += chunk.tool_call_chunks?.[0]?.args ?? "";
  expect(JSON.parse(text)).toEqual(tool_calls?.[0]?.args);
  proved("langchain-js", "chat-tools", "chat-tools-stream");
  for (const method of ["jsonSchema", "functionCalling"] as const) {
    const structured = langChain({ maxTokens: 200 }).withStructuredOutput(shape, { name: "found", method });
    expect(shape.properties.shape.enum).toContain((await structured.invoke(prompt)).shape);
  }
  const plain = langChain({ model: BRIEF, maxTokens: 200 }).withStructuredOutput(shape, { method: "jsonMode" });
  expect(await plain.invoke(prompt)).toBeObject();
  proved("langchain-js", "chat-schema", "chat-json");
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
  await expect(langChain({ apiKey: "nobody:nothing" }).invoke(prompt)).rejects.toMatchObject({ status: 401 });
  await expect(langChain({ temperature: 9 }).invoke(prompt)).rejects.toMatchObject({ status: 400 });
  const slow = langChain({ maxTokens: 900, temperature: 0, timeout: 20 }).invoke(prompt);
  await expect(slow).rejects.toMatchObject({ name: "TimeoutError" });
  proved("langchain-js", "embeddings", "error-unknown", "error-auth", "error-input", "timeout");
});
