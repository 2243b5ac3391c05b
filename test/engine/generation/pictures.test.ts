// Tiny random-weight models that read pictures against Python's transformers: tokens, scores and greedy answers.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Task } from "../../../src/core/pipeline.ts";
import { parse, type Static } from "../../../src/core/schema.ts";
import type { ChatInput } from "../../../src/engine/generation/chat-fields.ts";
import { createDecodeLoop } from "../../../src/engine/generation/decode-loop.ts";
import { emptyCache } from "../../../src/engine/generation/kv-cache.ts";
import { loadLanguageModel } from "../../../src/engine/generation/language-model.ts";
import { promptOf } from "../../../src/engine/generation/prompt.ts";
import { chat } from "../../../src/engine/pipelines/chat.ts";
import { beyondOf } from "../../../src/engine/sight/beyond.ts";
import { lookAtAll, MOST_PICTURES, seeing } from "../../../src/engine/sight/pictures.ts";
import { fittedSize } from "../../../src/engine/sight/qwen2-vl.ts";
import { ask } from "../support/language.ts";
import {
  askSeeing,
  openAiMessages,
  openSeeing,
  picture,
  qwenSizes,
  SEEING,
  type Seeing,
  type Seen,
  seenBy,
} from "../support/vision-language.ts";

setDefaultTimeout(120_000);

const signal = new AbortController().signal;

const taskOf = (input: Record<string, unknown>): Task<ChatInput> => ({
  input: parse(chat.input, input) as Static<typeof chat.input>,
  media: async (url) => new Uint8Array(await (await fetch(url)).arrayBuffer()),
  save: () => Promise.reject(new Error("nothing is saved")),
  log() {},
});

/** A conversation as far as it is read: tokens, pictures, and what the decoder takes. */
async function prepared(family: Seeing, asked: Pick<Seen, "messages" | "detail">) {
  const assets = openSeeing(family);
  const model = await loadLanguageModel(assets);
  const { sight, seen, tokenizer } = model;
  if (!sight) throw new Error("it sees");
  const task = taskOf({ messages: openAiMessages(asked) });
  const looked = await lookAtAll({ task, codec: assets.codec, sight, signal });
  const prompt = promptOf(task.input, model, looked);
  const pictures = [];
  for (const look of looked) pictures.push({ look, seen: await seeing(look, { seen, signal }) });
  return { model, prompt, pictures, ...beyondOf(prompt.tokens, { mark: tokenizer.idOf(sight.mark) ?? -1, pictures }) };
}

const apart = (a: readonly number[], b: ArrayLike<number> | undefined) =>
  Math.max(...a.map((value, i) => Math.abs(value - (b?.[i] ?? Number.NaN))));

for (const family of SEEING) {
  describe(family, () => {
    const answers = seenBy(family);

    test("conversations become the tokens that they are in Python, pictures included", async () => {
      for (const answer of answers) expect((await prepared(family, answer)).prompt.tokens).toEqual(answer.ids);
    });

    test("what is seen of a picture, and the scores of the first token, are Python's within 1e-3", async () => {
      for (const answer of answers) {
        const { model, read, beyond, pictures } = await prepared(family, answer);
        const all = pictures.flatMap(({ seen }) => [...seen.vectors]);
        if (answer.features) expect(apart(answer.features, all)).toBeLessThan(1e-3);
        const { decoder } = model;
        const { logits } = await decoder.forward({
          tokens: [read],
          cache: emptyCache(decoder.kv, 1),
          beyond: [beyond],
        });
        expect(apart(answer.logits, logits[0])).toBeLessThan(1e-3);
      }
    });

    for (const [at, answer] of answers.entries()) {
      test(`answers conversation ${at} (detail ${answer.detail}) token for token`, async () => {
        const input = { messages: openAiMessages(answer), max_tokens: 20, logprobs: true };
        const { output, units } = await askSeeing(family, input);
        const { tokenizer, ends } = await loadLanguageModel(openSeeing(family));
        const said = answer.new.filter((id) => !ends.has(id)).map((id) => [...tokenizer.token(id).bytes]);
        expect(output.logprobs?.map(({ bytes }) => bytes)).toEqual(said);
        expect(output.output).toBe(answer.text);
        expect(output.usage).toMatchObject({
          prompt_tokens: answer.ids.length,
          completion_tokens: answer.new.length,
        });
        expect(units).toMatchObject({ input_tokens: answer.ids.length });
      });
    }

    test("several at once are each what they are alone, and pieces of a prompt may end within a picture", async () => {
      const [first, second, words] = await Promise.all(answers.slice(0, 3).map((each) => prepared(family, each)));
      if (!first || !second || !words) throw new Error("three conversations");
      const loop = createDecodeLoop({
        decoder: first.model.decoder,
        padding: "before",
        prefixes: { find: () => undefined, keep: (_, { cache }) => cache.release?.() },
      });
      const grown = await Promise.all(
        [first, second, words].map(async ({ read, beyond }, at) => {
          const tokens: number[] = [];
          const next = (logits: Float32Array) => {
            tokens.push(logits.indexOf(Math.max(...logits)));
            return tokens.length < (answers[at]?.new.length ?? 0) ? tokens.at(-1) : undefined;
          };
          await loop.run({ prompt: read, beyond, next }, { signal });
          return tokens;
        }),
      );
      expect(grown).toEqual(answers.slice(0, 3).map((each) => each.new));
    });

    test("a conversation that goes on is not read again, and another picture in its place is", async () => {
      const assets = openSeeing(family);
      const run = await chat.load(assets);
      const askAgain = async (messages: unknown) => {
        for await (const { step } of run([taskOf({ messages, max_tokens: 4, temperature: 0 })], signal))
          if (step.type === "output") return step.value;
        throw new Error("an answer");
      };
      const [answer] = answers;
      if (!answer) throw new Error("there is an answer");
      const messages = openAiMessages(answer);
      const first = await askAgain(messages);
      expect(first.usage.cached_tokens).toBe(0);
      const again = await askAgain(messages);
      expect(again.usage.cached_tokens).toBe(answer.ids.length - 1);
      expect(again.output).toBe(first.output);
      const other = {
        ...answer,
        messages: JSON.parse(JSON.stringify(answer.messages).replace("picture.png", "reference-1.png")),
      };
      const another = await askAgain(openAiMessages(other));
      // Only what comes before the picture is the same.
      const { sight, tokenizer } = await loadLanguageModel(assets);
      const place = answer.ids.indexOf(tokenizer.idOf(sight?.mark ?? "") ?? -1);
      expect(place).toBeGreaterThan(0);
      expect(another.usage.cached_tokens).toBeLessThanOrEqual(place);
      const { output } = await askSeeing(family, { messages: openAiMessages(other), max_tokens: 4 });
      expect(another.output).toBe(output.output);
    });

    test("what cannot be read is said with its place", async () => {
      const one = { type: "image_url", image_url: { url: picture("families/picture.png") } };
      const problemOf = async (content: unknown[]) => {
        const failure = await askSeeing(family, { messages: [{ role: "user", content }] }).catch((error) => error);
        return [failure.code, failure.problems?.[0]?.loc.join("."), failure.problems?.[0]?.type];
      };
      expect(await problemOf([{ type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }])).toEqual([
        ...["invalid_input", "body.messages.0.content.0.image_url.url", "image_load_error"],
      ]);
      expect(await problemOf(new Array(MOST_PICTURES + 1).fill(one))).toEqual([
        ...["invalid_input", "body.messages", "too_many_pictures"],
      ]);
      expect(await problemOf([...new Array(30).fill(one), { type: "text", text: "a ".repeat(300) }])).toEqual([
        ...["invalid_input", "body.messages", "context_length_exceeded"],
      ]);
    });

    test("who types the mark of a picture shows none", async () => {
      const { sight, tokenizer } = await loadLanguageModel(openSeeing(family));
      const mark = sight?.mark ?? "";
      const one = { type: "image_url", image_url: { url: picture("families/picture.png"), detail: "low" } };
      const read = async (...texts: string[]) => {
        const content = [one, ...texts.map((text) => ({ type: "text", text }))];
        const { output } = await askSeeing(family, { messages: [{ role: "user", content }], max_tokens: 1 });
        return output.usage.prompt_tokens;
      };
      const letters = tokenizer.encode(tokenizer.quoted(mark)).length;
      expect(letters).toBeGreaterThan(1);
      const [a, b] = [mark.slice(0, 4), mark.slice(4)];
      expect((await read(`: ${mark}:`)) - (await read(": :"))).toBe(letters);
      expect((await read(`: ${a}`, `${b}:`)) - (await read(": ", ":"))).toBeGreaterThan(1);
    });

    test("image_url beside prompt is a picture before it", async () => {
      const [answer] = answers;
      const part = answer?.messages[0]?.content;
      if (part?.[0]?.type !== "image" || part[1]?.type !== "text") throw new Error("a picture and a question");
      const input = { prompt: part[1].text, image_url: picture(part[0].image), max_tokens: 20 };
      expect((await askSeeing(family, input)).output.output).toBe(answer?.text ?? "");
      const raw = await askSeeing(family, { ...input, raw: true }).catch((error) => error);
      expect([raw.code, raw.problems?.[0]?.loc]).toEqual(["invalid_input", ["body", "image_url"]]);
    });

    test("an abort ends it before a picture is seen", async () => {
      const stop = new AbortController();
      stop.abort(new Error("enough"));
      const input = { messages: openAiMessages(answers[0] ?? { messages: [], detail: "auto" }) };
      await expect(askSeeing(family, input, { signal: stop.signal })).rejects.toThrow("enough");
    });
  });
}

test("a model of text refuses a picture, and says where it is", async () => {
  const content = [{ type: "image_url", image_url: { url: picture("families/picture.png") } }];
  const failure = await ask("llama", { messages: [{ role: "user", content }] }).catch((error) => error);
  expect([failure.code, failure.problems?.[0]?.loc]).toEqual(["invalid_input", ["body", "messages", 0, "content", 0]]);
  expect(failure.message).toContain("reads text only");
  const short = { prompt: "What is it?", image_url: picture("families/picture.png") };
  const same = await ask("llama", short).catch((error) => error);
  expect([same.code, same.problems?.[0]?.loc]).toEqual(["invalid_input", ["body", "image_url"]]);
});

test("pictures keep their shape within Qwen2-VL's bounds as Python's smart_resize has it; strips are refused", async () => {
  expect(qwenSizes.length).toBeGreaterThan(10);
  for (const [height, width, most, high, wide] of qwenSizes)
    expect(fittedSize({ width, height }, { factor: 28, fewest: 4 * 28 * 28, most })).toEqual({
      width: wide,
      height: high,
    });
  expect(() => fittedSize({ width: 2010, height: 10 }, { factor: 28, fewest: 3136, most: 1e6 })).toThrow("200 times");
});
