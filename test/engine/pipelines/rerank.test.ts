// Rerankers of tiny random weights against Python's transformers and sentence-transformers' CrossEncoder.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { rerank } from "../../../src/engine/pipelines/rerank.ts";
import { loadEncoderTokenizer } from "../../../src/engine/text/encoder-tokenizer.ts";
import { casesOf, openFamily, type RerankCases } from "../support/embedding.ts";
import { runOnce } from "../support/load.ts";

setDefaultTimeout(60_000);

const GRAPHS = { "onnx/model.onnx": "onnx/rerank.onnx" };
const ask = (family: string, input: Record<string, unknown>) =>
  runOnce(rerank, { assets: openFamily(family, GRAPHS), input });

for (const family of ["bert", "xlm-roberta"]) {
  const { query, documents, ids, types, logits, scores, cut } = casesOf(family).rerank as RerankCases;

  describe(family, () => {
    test("pairs become the tokens and types that they are in Python", async () => {
      const tokenizer = await loadEncoderTokenizer(openFamily(family));
      for (const [i, document] of documents.entries()) {
        const got = tokenizer.encode([query, document]);
        expect(got.ids).toEqual(ids[i] ?? []);
        if (types[i]) expect(got.types).toEqual(types[i]);
      }
    });

    test("pairs that are too long are cut as in Python, the longer text first", async () => {
      const tokenizer = await loadEncoderTokenizer(openFamily(family));
      for (const [i, pair] of cut.pairs.entries())
        for (const [j, most] of cut.lengths.entries())
          expect(tokenizer.encode(pair, most).ids).toEqual(cut.ids[i]?.[j] ?? []);
    });

    test("scores are Python's within 1e-4, the best first", async () => {
      const { output, units } = await ask(family, { query, documents });
      const order = scores.map((_, i) => i).sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0));
      expect(output.results.map(({ index }) => index)).toEqual(order);
      for (const { index, relevance_score } of output.results)
        expect(relevance_score).toBeCloseTo(scores[index] ?? Number.NaN, 4);
      const tokens = ids.reduce((sum, each) => sum + each.length, 0);
      expect(units).toEqual({ requests: 1, input_tokens: tokens, tokens, images: 0 });
      expect(output.usage).toEqual({ prompt_tokens: tokens, total_tokens: tokens });
    });

    test("the model's own scores on demand, of the best only, with their texts", async () => {
      const { output } = await ask(family, { query, documents, raw_scores: true, top_n: 2, return_documents: true });
      expect(output.results).toHaveLength(2);
      for (const { index, relevance_score, document } of output.results) {
        expect(relevance_score).toBeCloseTo(logits[index] ?? Number.NaN, 3);
        expect(document).toEqual({ text: documents[index] ?? "" });
      }
    });
  });
}

test("a pair that is too long is refused, naming its document, or cut and told", async () => {
  const documents = ["short", "word ".repeat(500)];
  const failure = await ask("bert", { query: "q", documents }).catch((error) => error);
  expect(failure).toMatchObject({
    code: "invalid_input",
    problems: [{ loc: ["body", "documents", 1], type: "sequence_too_long", ctx: { max_length: 64 } }],
  });
  const { output, log } = await ask("bert", { query: "q", documents, truncate: true });
  expect(output.results).toHaveLength(2);
  expect(log).toHaveLength(1);
});

test("a graph that scores nothing is named as no reranker", async () => {
  const failure = await runOnce(rerank, {
    assets: openFamily("bert"),
    input: { query: "q", documents: ["d"] },
  }).catch((error) => error);
  expect(failure).toMatchObject({ code: "runner_failed", message: expect.stringContaining("no reranker") });
});
