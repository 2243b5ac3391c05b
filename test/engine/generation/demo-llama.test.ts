// forecourt/demo-llama against Python's transformers on the same weights, and how often it is right about its world.
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadDecoder } from "../../../src/engine/generation/decoder.ts";
import { emptyCache } from "../../../src/engine/generation/kv-cache.ts";
import { loadLanguageModel } from "../../../src/engine/generation/language-model.ts";
import { chat } from "../../../src/engine/pipelines/chat.ts";
import { openFolder, runOnce } from "../support/load.ts";

setDefaultTimeout(120_000);

type Case = {
  kind: string;
  messages: { role: string; content: string }[];
  tools?: unknown[];
  /** The right answer. */
  wanted: string;
  new: number[];
  said: string;
  ids?: number[];
  logits?: number[];
};
const cases: Case[] = JSON.parse(readFileSync(join(import.meta.dir, "../../reference/demo-llama.json"), "utf8"));
const assets = openFolder(join(import.meta.dir, "../../../models/demo/llama"));

test("prompts have the tokens of Python's, and their scores within 1e-3", async () => {
  const { template, tokenizer } = await loadLanguageModel(assets);
  const decoder = await loadDecoder(assets);
  for (const { messages, tools = null, ids, logits } of cases) {
    if (!ids || !logits) continue;
    expect(tokenizer.encode(template?.render({ messages, tools, add_generation_prompt: true }) ?? "")).toEqual(ids);
    const { logits: scores } = await decoder.forward({ tokens: [ids], cache: emptyCache(decoder.kv, 1) });
    const apart = logits.map((score, i) => Math.abs(score - (scores[0]?.[i] ?? Number.NaN)));
    expect(Math.max(...apart)).toBeLessThan(1e-3);
  }
});

test("held-out questions are answered token for token as in Python, and most of them rightly", async () => {
  const { tokenizer, ends } = await loadLanguageModel(assets);
  let right = 0;
  for (const { messages, tools, wanted, new: tokens, said } of cases) {
    const input = { messages, temperature: 0, logprobs: true, ...(tools && { tools }) };
    const { output } = await runOnce(chat, { assets, input });
    const expected = tokens.filter((id) => !ends.has(id)).map((id) => [...tokenizer.token(id).bytes]);
    expect(output.logprobs?.map(({ bytes }) => bytes)).toEqual(expected);
    const [call] = output.tool_calls ?? [];
    if (call) {
      const { name, arguments: text } = call.function;
      const asJson = `<tool_call>\n${JSON.stringify({ name, arguments: JSON.parse(text) })}\n</tool_call>`;
      expect(asJson.replace(/\s/g, "")).toBe(said.replace(/\s/g, ""));
    } else expect(output.output).toBe(said);
    if (said === wanted) right++;
  }
  expect(cases.length).toBeGreaterThan(120);
  expect(right / cases.length).toBeGreaterThan(0.9);
});
