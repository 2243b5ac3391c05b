// Tiny random-weight models of each family against Python's transformers: tokens, templates, scores, greedy answers.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { loadDecoder } from "../../../src/engine/generation/decoder.ts";
import { emptyCache } from "../../../src/engine/generation/kv-cache.ts";
import { loadLanguageModel } from "../../../src/engine/generation/language-model.ts";
import { createDetokenizer } from "../../../src/engine/text/detokenize.ts";
import { ask, casesOf, FAMILIES, openFamily } from "../support/language.ts";

setDefaultTimeout(60_000);

for (const family of FAMILIES) {
  const { renderings, answers, texts, decoded } = casesOf(family);

  describe(family, () => {
    test("texts become the tokens that they are in Python, with and without what begins a text", async () => {
      const { tokenizer } = await loadLanguageModel(openFamily(family));
      for (const { text, ids, bare } of texts) {
        expect(tokenizer.encode(text)).toEqual(bare);
        expect(tokenizer.encode(text, { begin: true })).toEqual(ids);
      }
    });

    test("tokens become the text that they are in Python, and no sign is given out by halves", async () => {
      const { tokenizer } = await loadLanguageModel(openFamily(family));
      for (const { ids, text } of decoded) {
        const letters = createDetokenizer(tokenizer);
        const given = ids
          .map((id) => tokenizer.token(id))
          .filter(({ isSpecial }) => !isSpecial)
          .map((token) => letters.push(token));
        expect([...given, letters.end()].join("")).toBe(text);
      }
    });

    for (const { name, messages, tools, text, ids } of renderings) {
      test(`its template writes the conversation "${name}" as Python does`, async () => {
        const { template, tokenizer } = await loadLanguageModel(openFamily(family));
        const render = () => template?.render({ messages, tools, add_generation_prompt: true });
        if (text === undefined) expect(render).toThrow("does not take this conversation");
        else {
          expect(render()).toBe(text);
          expect(tokenizer.encode(text)).toEqual(ids);
        }
      });
    }

    test("the scores of the first token are Python's within 1e-3", async () => {
      const decoder = await loadDecoder(openFamily(family));
      for (const { ids, logits } of answers) {
        const {
          logits: [got],
        } = await decoder.forward({ tokens: [ids], cache: emptyCache(decoder.kv, 1) });
        const apart = logits.map((score, i) => Math.abs(score - (got?.[i] ?? Number.NaN)));
        expect(Math.max(...apart)).toBeLessThan(1e-3);
      }
    });

    for (const { messages, prompt, raw, text, ids, new: wanted } of answers) {
      test(`answers ${JSON.stringify(messages?.at(-1)?.content ?? prompt)} token for token`, async () => {
        const asked = messages ? { messages } : { prompt, raw };
        const { output, units } = await ask(family, { ...asked, max_tokens: 24, logprobs: true });
        const { tokenizer, ends } = await loadLanguageModel(openFamily(family));
        const said = wanted.filter((id) => !ends.has(id)).map((id) => [...tokenizer.token(id).bytes]);
        expect(output.logprobs?.map(({ bytes }) => bytes)).toEqual(said);
        // Bytes that are no sign are counted differently where they come one by one.
        if (!text.includes("\uFFFD") || tokenizer.idOf("<0x00>") === undefined) expect(output.output).toBe(text);
        expect(output.usage).toMatchObject({ prompt_tokens: ids.length, completion_tokens: wanted.length });
        expect(output.finish_reason).toBe(wanted.length < 24 ? "stop" : "length");
        expect(units).toEqual({
          input_tokens: ids.length,
          output_tokens: wanted.length,
          tokens: ids.length + wanted.length,
        });
      });
    }
  });
}
