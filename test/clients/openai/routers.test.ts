// fal's endpoints for all language models by fal's own client: the body names the model, one of this box.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createFalClient, type FalClient } from "@fal-ai/client";
import { languageServer, MODEL } from "./language-server.ts";

let server: Awaited<ReturnType<typeof languageServer>>;
let fal: FalClient;
beforeAll(async () => {
  server = await languageServer();
  fal = createFalClient({
    credentials: server.key,
    proxyUrl: { url: `${server.origin}/fal/proxy`, when: "always" },
  });
}, 60_000);
afterAll(() => server[Symbol.asyncDispose]());
setDefaultTimeout(60_000);

type Answer = { output: string; partial: boolean; usage: { completion_tokens: number } };

const input = { model: MODEL, prompt: "What colour is the circle?", temperature: 0, max_tokens: 12 };
// The client's types know fal's models alone.
const asked = { input } as never;
const answerOf = (data: unknown) => data as Answer;

test("run, subscribe and stream say what the model itself says, by both names", async () => {
  const { data } = await fal.run(MODEL, { input: { ...input, model: undefined } as never });
  const wanted = answerOf(data).output;
  expect(answerOf(data).usage.completion_tokens).toBe(12);
  for (const router of ["openrouter/router", "fal-ai/any-llm"]) {
    expect(answerOf((await fal.run(router, asked)).data).output).toBe(wanted);
    const subscribed = await fal.subscribe(router, asked);
    expect(answerOf(subscribed.data).output).toBe(wanted);
    const stream = await fal.stream(router, asked);
    const seen: string[] = [];
    for await (const event of stream) seen.push(answerOf(event).output);
    expect(seen.at(-1)).toBe(wanted);
    expect(wanted.startsWith(seen[0] ?? "-")).toBe(true);
    expect(answerOf(await stream.done())).toMatchObject({ output: wanted, partial: false });
  }
});

test("the only language model beside the demo need not be named; others are refused by the field", async () => {
  const unnamed = await fal.run("fal-ai/any-llm", { input: { ...input, model: undefined } as never });
  expect(answerOf(unnamed.data).usage.completion_tokens).toBe(12);
  const refused = (model: string, more = {}) =>
    fal.run("openrouter/router", { input: { ...input, model, ...more } as never });
  await expect(refused("google/gemini-2.5-flash")).rejects.toMatchObject({
    status: 422,
    body: { detail: [{ loc: ["body", "model"] }] },
  });
  await expect(refused("test/embed")).rejects.toMatchObject({ status: 422 });
  await expect(refused(MODEL, { temperature: 9 })).rejects.toMatchObject({
    status: 422,
    body: { detail: [{ loc: ["body", "temperature"] }] },
  });
});

test("pictures go to the model with the prompt, which may not read them", async () => {
  const red =
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
  const shown = fal.run("openrouter/router/vision", { input: { ...input, image_url: red } as never });
  await expect(shown).rejects.toMatchObject({ status: 422 });
});
