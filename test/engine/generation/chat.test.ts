// The chat pipeline: what its input asks for, step by step, on tiny models.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { parse } from "../../../src/core/schema.ts";
import { chat } from "../../../src/engine/pipelines/chat.ts";
import { ask, casesOf, openFamily, partialsOf } from "../support/language.ts";

setDefaultTimeout(60_000);

const [first] = casesOf("qwen3").answers;
const wanted = first?.text ?? "";
const question = { messages: first?.messages, max_tokens: 24 };

describe("a stream", () => {
  test("tells all of the answer so far, each part beginning with the one before, and ends with the whole", async () => {
    const { steps, output } = await ask("qwen3", question, { wantsPartials: true });
    const partials = partialsOf(steps);
    expect(partials.length).toBeGreaterThan(10);
    for (const [at, partial] of partials.entries()) {
      expect(partial.partial).toBe(true);
      expect(partial.output.startsWith(partials[at - 1]?.output ?? "")).toBe(true);
      expect(wanted.startsWith(partial.output)).toBe(true);
    }
    expect(output).toMatchObject({ output: wanted, partial: false });
  });

  test("tells log probabilities once, with how many came before", async () => {
    const { steps, output } = await ask("qwen3", { ...question, logprobs: true }, { wantsPartials: true });
    let told = 0;
    for (const { logprobs = [], logprobs_from } of partialsOf(steps)) {
      expect(logprobs_from).toBe(told);
      expect(logprobs).toEqual(output.logprobs?.slice(told, told + logprobs.length) ?? []);
      told += logprobs.length;
    }
    expect(told).toBeGreaterThan(10);
  });

  test("a long prompt gives signs of life while it is read", async () => {
    const { steps } = await ask(
      "qwen3",
      { prompt: "1".repeat(900), raw: true, max_tokens: 2 },
      { wantsPartials: true },
    );
    const reading = steps.filter((step) => step.type === "progress");
    expect(reading.length).toBeGreaterThan(1);
    for (const step of reading) expect(step).toMatchObject({ at: 0, of: 2 });
  });

  test("who does not follow it is told how far it is", async () => {
    const { steps } = await ask("qwen3", question);
    expect(steps.map(({ type }) => type)).toEqual(["progress", "output"]);
  });
});

describe("the end of an answer", () => {
  test("is before a stop string, of which nothing is shown", async () => {
    const stop = wanted.slice(8, 11);
    const { steps, output } = await ask("qwen3", { ...question, stop: [stop] }, { wantsPartials: true });
    expect(output).toMatchObject({ output: wanted.slice(0, wanted.indexOf(stop)), finish_reason: "stop" });
    for (const { output: shown } of partialsOf(steps)) expect(output.output.startsWith(shown)).toBe(true);
  });

  test("comes where max_tokens says", async () => {
    const { output } = await ask("qwen3", { ...question, max_tokens: 3 });
    expect(output).toMatchObject({ finish_reason: "length", usage: { completion_tokens: 3 } });
  });

  test("comes where the model reads no further", async () => {
    const { output } = await ask("qwen3", {
      prompt: "1".repeat(1020),
      raw: true,
      logit_bias: { 376: -100, 378: -100 },
    });
    expect(output).toMatchObject({ finish_reason: "length", usage: { prompt_tokens: 1020, total_tokens: 1024 } });
  });
});

describe("what cannot be answered", () => {
  test("a prompt longer than the model reads is refused with both numbers, before it is read", async () => {
    await expect(ask("qwen3", { prompt: "1".repeat(1030), raw: true })).rejects.toMatchObject({
      code: "invalid_input",
      message: expect.stringMatching(/length is 1024 tokens.*has 1030/),
      problems: [{ loc: ["body", "prompt"], type: "context_length_exceeded" }],
      details: { prompt_tokens: 1030, context_length: 1024 },
    });
  });

  test("a prompt of a size that says so is not turned into tokens as a whole", async () => {
    // A whole one would take twenty seconds here, in which nobody else is answered.
    const begun = performance.now();
    await expect(ask("qwen3", { prompt: "a".repeat(5_000_000), raw: true })).rejects.toMatchObject({
      message: expect.stringMatching(/has at least \d{4,5}\./),
      problems: [{ loc: ["body", "prompt"], type: "context_length_exceeded" }],
    });
    expect(performance.now() - begun).toBeLessThan(10_000);
    const long = { prompt: " ".repeat(100_000), raw: true, max_tokens: 0 };
    expect((await ask("qwen3", { prompt: "1".repeat(1030), raw: true, max_tokens: 0 })).output.usage).toMatchObject({
      ...{ prompt_tokens: 1030, completion_tokens: 0 },
    });
    await expect(ask("qwen3", long)).rejects.toMatchObject({ code: "invalid_input" });
  });

  test("nothing said, two things said, pictures, a conversation for a model without a template: the field is named", async () => {
    const problemOf = async (family: Parameters<typeof ask>[0], input: Record<string, unknown>) => {
      const failure = await ask(family, input).catch((error) => error);
      return failure.problems?.[0]?.loc;
    };
    expect(await problemOf("llama", {})).toEqual(["body", "prompt"]);
    expect(await problemOf("llama", { prompt: "a", messages: [{ role: "user", content: "b" }] })).toEqual([
      "body",
      "messages",
    ]);
    expect(await problemOf("phi", { prompt: "a" })).toEqual(["body", "messages"]);
    expect(await problemOf("gemma2", { prompt: "a", system_prompt: "b" })).toEqual(["body", "messages"]);
    const picture = { type: "image_url", image_url: { url: "https://example.com/p.png" } };
    expect(await problemOf("llama", { messages: [{ role: "user", content: [picture] }] })).toEqual([
      ...["body", "messages", 0, "content", 0],
    ]);
    expect(await problemOf("llama", { prompt: "a", top_logprobs: 3 })).toEqual(["body", "top_logprobs"]);
    expect(await problemOf("llama", { prompt: "a", logit_bias: { hello: 1 } })).toEqual([
      "body",
      "logit_bias",
      "hello",
    ]);
  });
});

describe("how tokens are taken", () => {
  test("the same seed gives the same answer, another one another", async () => {
    const say = async (seed: number) =>
      (await ask("llama", { prompt: "Hello", temperature: 1, seed, max_tokens: 20 })).output.output;
    expect(await say(1)).toBe(await say(1));
    expect(await say(1)).not.toBe(await say(2));
  });

  test("a bias of -100 keeps a token out", async () => {
    const { output } = await ask("qwen3", { ...question, logprobs: true });
    const [token] = first?.new ?? [];
    const without = await ask("qwen3", { ...question, logprobs: true, logit_bias: { [String(token)]: -100 } });
    expect(without.output.logprobs?.map(({ bytes }) => bytes)).not.toContainEqual(output.logprobs?.[0]?.bytes);
  });

  test("probabilities are the model's own, the likeliest first", async () => {
    const { output } = await ask("qwen3", { ...question, logprobs: true, top_logprobs: 3 });
    const scores = first?.logits ?? [];
    const all = Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0));
    const best = [...scores].sort((a, b) => b - a).slice(0, 3);
    expect(output.logprobs).toHaveLength(24);
    for (const [at, { logprob }] of (output.logprobs?.[0]?.top_logprobs ?? []).entries())
      expect(logprob).toBeCloseTo((best[at] ?? 0) - all, 2);
  });
});

test("a conversation that goes on is read from where it ended", async () => {
  const assets = openFamily("qwen2");
  const run = await chat.load(assets);
  const say = async (messages: unknown[]) => {
    const task = {
      input: parse(chat.input, { messages, temperature: 0, max_tokens: 8 }),
      media: never,
      save: never,
      log() {},
    };
    for await (const { step } of run([task], new AbortController().signal))
      if (step.type === "output") return step.value;
    throw new Error("no output");
  };
  const never = () => Promise.reject(new Error("not asked for"));
  const begun = [{ role: "user", content: "Hello there! How are you today?" }];
  const one = await say(begun);
  expect(one.usage.cached_tokens).toBe(0);
  const two = await say([...begun, { role: "assistant", content: "fine" }, { role: "user", content: "Good." }]);
  expect(two.usage.cached_tokens).toBeGreaterThan(10);
  const again = await say(begun);
  expect(again.usage.cached_tokens).toBe(again.usage.prompt_tokens - 1);
  expect(again.output).toBe(one.output);
});

test("an abort ends the answer within a token", async () => {
  const stop = new AbortController();
  const run = await chat.load(openFamily("llama"));
  const input = parse(chat.input, {
    prompt: "Hello",
    raw: true,
    max_tokens: 900,
    temperature: 0,
    logit_bias: { 377: -100, 380: -100, 381: -100 },
  });
  const never = () => Promise.reject(new Error("not asked for"));
  let count = 0;
  const all = async () => {
    for await (const _ of run([{ input, media: never, save: never, log() {}, wantsPartials: true }], stop.signal))
      if (++count === 5) stop.abort(new Error("enough"));
  };
  await expect(all()).rejects.toThrow("enough");
  expect(count).toBeLessThanOrEqual(6);
});

test("a template that writes no tools is given them with what the user says", async () => {
  const tools = [{ type: "function", function: { name: "get_weather", parameters: { type: "object" } } }];
  const tokensOf = async (input: Record<string, unknown>) =>
    (await ask("gemma2", { prompt: "Weather?", max_tokens: 1, ...input })).output.usage.prompt_tokens;
  const bare = await tokensOf({});
  expect(await tokensOf({ tools })).toBeGreaterThan(bare + 20);
  expect(await tokensOf({ tools, tool_choice: "none" })).toBe(bare);
});
