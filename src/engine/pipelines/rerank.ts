// Orders documents by how well they answer a query, with a cross-encoder that reads each together with it.
import { ForecourtError } from "../../core/errors.ts";
import { type Assets, definePipeline, type Task } from "../../core/pipeline.ts";
import { countOf } from "../embedding/embed-fields.ts";
import { rowsOf } from "../embedding/pooling.ts";
import { mostReranked, type RerankInput, rerankInput, rerankOutput } from "../embedding/rerank-fields.ts";
import { readTextFacts } from "../embedding/text-facts.ts";
import { feedsOfRows } from "../embedding/text-rows.ts";
import { computeTogether, type Row } from "../embedding/together.ts";
import { fitting } from "../embedding/too-long.ts";
import { sigmoid } from "../onnx/activation.ts";
import { type EncodedText, type EncoderTokenizer, loadEncoderTokenizer } from "../text/encoder-tokenizer.ts";

type PairRow = Row & { text: EncodedText };

export const rerank = definePipeline({
  summary: "Orders documents by how well they answer a query.",
  counts: ["input_tokens", "tokens", "images"],
  input: rerankInput,
  output: rerankOutput,
  estimate: mostReranked,
  batchKey: () => "rows",
  async load(assets) {
    const { tokenizer, most, score } = await loadCrossEncoder(assets);
    return async function* (tasks, signal) {
      const jobs = tasks.map((task) => pairsOf(task, { tokenizer, most }));
      const compute = (pass: readonly PairRow[]) => score(pass.map(({ text }) => text));
      for await (const { index, at, of, results } of computeTogether({ jobs, compute, signal })) {
        const [task, rows] = [tasks[index], jobs[index]];
        if (results && task && rows) yield { index, step: answer(task.input, rows, results) };
        else yield { index, step: { type: "progress", at, of } };
      }
    };
  },
});

/** transformers.js' layout. Throws `runner_failed` for a graph that does not give one score. */
async function loadCrossEncoder(assets: Assets) {
  const tokenizer = await loadEncoderTokenizer(assets);
  const { most } = await readTextFacts(assets);
  const graph = await assets.graph("onnx/model.onnx");
  const { padding } = tokenizer;
  const score = async (rows: readonly EncodedText[]): Promise<number[]> => {
    const { logits } = await graph.run(feedsOfRows(graph, rows, { padding }));
    const labels = logits?.shape[1] ?? 0;
    if (logits?.shape.length !== 2 || labels !== 1)
      throw new ForecourtError(
        "runner_failed",
        `the graph is no reranker: it gives ${labels} scores for a pair, not 1`,
      );
    return rowsOf(logits).map(([logit = Number.NaN]) => logit);
  };
  return { tokenizer, most, score };
}

type Reading = { tokenizer: EncoderTokenizer; most: number };

/** Throws `invalid_input` for a pair that is too long. */
function pairsOf({ input, log }: Task<RerankInput>, { tokenizer, most }: Reading): PairRow[] {
  const { query, documents, truncate } = input;
  return documents.map((document, at) => {
    const text = fitting(tokenizer, [query, document], { most, truncate, loc: ["body", "documents", at], log });
    return { kind: "pair", length: text.ids.length, text };
  });
}

/** sentence-transformers' CrossEncoder brings the score of a single label between 0 and 1 in this way. */
function answer(
  { documents, top_n, return_documents, raw_scores }: RerankInput,
  rows: readonly PairRow[],
  logits: readonly number[],
) {
  const all = logits.map((logit, index) => ({
    index,
    relevance_score: raw_scores ? logit : sigmoid(logit),
    ...(return_documents && { document: { text: documents[index] ?? "" } }),
  }));
  // By the logits: far apart from each other they may have the same sigmoid.
  all.sort((a, b) => (logits[b.index] ?? 0) - (logits[a.index] ?? 0) || a.index - b.index);
  const tokens = rows.reduce((sum, { length }) => sum + length, 0);
  const value = { results: all.slice(0, top_n), usage: { prompt_tokens: tokens, total_tokens: tokens } };
  return { type: "output" as const, value, units: countOf({ tokens, images: 0 }) };
}
