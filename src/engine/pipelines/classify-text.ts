// Sorts texts into the classes of a model: moods, topics, what is harmful in them.
import { ForecourtError } from "../../core/errors.ts";
import { type Assets, definePipeline, type Task } from "../../core/pipeline.ts";
import {
  type ClassifyInput,
  classifyInput,
  classifyOutput,
  mostClassified,
} from "../classification/classify-fields.ts";
import { type ClassifierConfig, classesOf, usualFunction } from "../classification/scores.ts";
import { countOf } from "../embedding/embed-fields.ts";
import { rowsOf } from "../embedding/pooling.ts";
import { readTextFacts } from "../embedding/text-facts.ts";
import { feedsOfRows } from "../embedding/text-rows.ts";
import { computeTogether, type Row } from "../embedding/together.ts";
import { fitting } from "../embedding/too-long.ts";
import { readLabels } from "../onnx/labels.ts";
import { type EncodedText, loadEncoderTokenizer } from "../text/encoder-tokenizer.ts";

type TextRow = Row & { text: EncodedText };

export const classifyText = definePipeline({
  summary: "Sorts texts into the classes of a model.",
  counts: ["input_tokens", "tokens", "images"],
  input: classifyInput,
  output: classifyOutput,
  estimate: mostClassified,
  batchKey: () => "rows",
  async load(assets) {
    const classifier = await loadClassifier(assets);
    return async function* (tasks, signal) {
      const jobs = tasks.map((task) => rowsOfTask(task, classifier));
      const compute = (pass: readonly TextRow[]) => classifier.score(pass.map(({ text }) => text));
      for await (const { index, at, of, results } of computeTogether({ jobs, compute, signal })) {
        const [task, rows] = [tasks[index], jobs[index]];
        if (results && task && rows) yield { index, step: answer(task.input, rows, { classifier, results }) };
        else yield { index, step: { type: "progress", at, of } };
      }
    };
  },
});

type Classifier = Awaited<ReturnType<typeof loadClassifier>>;

/** transformers.js' layout. Throws `runner_failed` for a graph that gives no row of scores for a text. */
async function loadClassifier(assets: Assets) {
  const tokenizer = await loadEncoderTokenizer(assets);
  const { most } = await readTextFacts(assets);
  const config = await assets.json<ClassifierConfig>("config.json");
  const labels = config.id2label ? await readLabels("config.json", assets) : [];
  const graph = await assets.graph("onnx/model.onnx");
  const { padding } = tokenizer;
  const score = async (rows: readonly EncodedText[]): Promise<number[][]> => {
    const { logits } = await graph.run(feedsOfRows(graph, rows, { padding }));
    if (logits?.shape.length !== 2)
      throw new ForecourtError("runner_failed", "the graph sorts no texts: it gives no logits of [texts, classes]");
    return rowsOf(logits).map((row) => [...row]);
  };
  return { tokenizer, most, config, labels, score };
}

/** Throws `invalid_input` for a text that is too long. */
function rowsOfTask({ input: asked, log }: Task<ClassifyInput>, { tokenizer, most }: Classifier): TextRow[] {
  const { input, truncate } = asked;
  return [input].flat().map((each, at) => {
    const loc = ["body", "input", ...(typeof input === "string" ? [] : [at])];
    const text = fitting(tokenizer, [each], { most, truncate, loc, log });
    return { kind: "text", length: text.ids.length, text };
  });
}

function answer(
  { top_k, function_to_apply }: ClassifyInput,
  rows: readonly TextRow[],
  { classifier: { config, labels }, results }: { classifier: Classifier; results: readonly number[][] },
) {
  const all = results.map((logits) =>
    classesOf(logits, labels, function_to_apply ?? usualFunction(config, logits.length)).slice(0, top_k),
  );
  const tokens = rows.reduce((sum, { length }) => sum + length, 0);
  const value = { results: all, usage: { prompt_tokens: tokens, total_tokens: tokens } };
  return { type: "output" as const, value, units: countOf({ tokens, images: 0 }) };
}
