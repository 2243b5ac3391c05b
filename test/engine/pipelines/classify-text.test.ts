// Texts sorted into classes by models of tiny random weights, against transformers' pipeline text-classification.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { classifyText } from "../../../src/engine/pipelines/classify-text.ts";
import { loadEncoderTokenizer } from "../../../src/engine/text/encoder-tokenizer.ts";
import { openFolder, runOnce } from "../support/load.ts";

setDefaultTimeout(60_000);

type Class = { label: string; score: number };
type Cases = { texts: string[]; ids: number[][] } & Record<"default" | "none" | "softmax" | "sigmoid", Class[][]>;

const folderOf = (name: string) => join(import.meta.dir, "../../reference/classification", name);
const casesOf = (name: string): Cases => JSON.parse(readFileSync(join(folderOf(name), "cases.json"), "utf8"));
const ask = (name: string, input: Record<string, unknown>) =>
  runOnce(classifyText, { assets: openFolder(folderOf(name)), input });

/** Python's order may differ where two scores are the same in six digits. */
function expectClasses(got: readonly Class[], wanted: readonly Class[]) {
  expect(got.map(({ label }) => label).toSorted()).toEqual(wanted.map(({ label }) => label).toSorted());
  for (const [i, { score }] of got.entries()) if (i > 0) expect(score).toBeLessThanOrEqual(got[i - 1]?.score ?? 0);
  for (const { label, score } of wanted) expect(got.find((each) => each.label === label)?.score).toBeCloseTo(score, 4);
}

for (const name of ["toxic", "mood"]) {
  const cases = casesOf(name);

  describe(name, () => {
    test("texts become Python's tokens", async () => {
      const tokenizer = await loadEncoderTokenizer(openFolder(folderOf(name)));
      for (const [i, text] of cases.texts.entries()) expect(tokenizer.encode([text]).ids).toEqual(cases.ids[i] ?? []);
    });

    test("all classes of all texts are Python's, side by side in one pass", async () => {
      const { output, units } = await ask(name, { input: cases.texts });
      for (const [i, wanted] of cases.default.entries()) expectClasses(output.results[i] ?? [], wanted);
      const tokens = cases.ids.reduce((sum, ids) => sum + ids.length, 0);
      expect(units).toEqual({ requests: 1, input_tokens: tokens, tokens, images: 0 });
    });

    test.each(["none", "softmax", "sigmoid"] as const)("%s on the model's numbers is Python's", async (each) => {
      const input = cases.texts[1] ?? "";
      const { output } = await ask(name, { input, function_to_apply: each, top_k: 2 });
      expect(output.results).toHaveLength(1);
      expectClasses(output.results[0] ?? [], cases[each][1]?.slice(0, 2) ?? []);
    });
  });
}

test("a text that is too long is refused by its place, or cut and told", async () => {
  const input = ["short", "word ".repeat(500)];
  await expect(ask("mood", { input })).rejects.toMatchObject({
    code: "invalid_input",
    problems: [{ loc: ["body", "input", 1], type: "sequence_too_long", ctx: { max_length: 64 } }],
  });
  const { output, log } = await ask("mood", { input, truncate: true });
  expect(output.results).toHaveLength(2);
  expect(log).toHaveLength(1);
});

test("a graph that embeds is named as one that sorts no texts", async () => {
  const embeds = openFolder(join(import.meta.dir, "../../reference/embedding/bert"));
  await expect(runOnce(classifyText, { assets: embeds, input: { input: "x" } })).rejects.toMatchObject({
    code: "runner_failed",
    message: expect.stringContaining("sorts no texts"),
  });
});
