// Embeddings by OpenAI's own JavaScript client, unmodified, rankings in the usual shape, and what is not here.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import OpenAI from "openai";
import { proved } from "../../support/conformance.ts";
import { BERT, languageServer, MODEL } from "./language-server.ts";

type Cases = {
  texts: string[];
  ids: number[][];
  embeddings: { mean: number[][] };
  rerank: { query: string; documents: string[]; scores: number[] };
};

let server: Awaited<ReturnType<typeof languageServer>>;
let client: OpenAI;
let python: Cases;
beforeAll(async () => {
  server = await languageServer();
  client = new OpenAI({ apiKey: server.key, baseURL: server.baseURL, maxRetries: 0 });
  python = JSON.parse(await readFile(join(BERT, "cases.json"), "utf8"));
}, 60_000);
afterAll(() => server[Symbol.asyncDispose]());
setDefaultTimeout(60_000);

const sent = async <T>(asked: PromiseLike<T>) => await asked;
const model = "test/embed";
const cosine = (a: readonly number[], b: readonly number[]) => {
  const dot = (x: readonly number[], y: readonly number[]) =>
    x.reduce((sum, value, at) => sum + value * (y[at] ?? 0), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
};

test("texts become Python's embeddings, as numbers and in base64, each at its place", async () => {
  const input = python.texts.slice(0, 3);
  const packed = await client.embeddings.create({ model, input }); // the client asks for base64 itself
  const plain = await client.embeddings.create({ model, input, encoding_format: "float" });
  expect(plain.data.map(({ index }) => index)).toEqual([0, 1, 2]);
  for (const [at, { embedding }] of plain.data.entries()) {
    expect(cosine(embedding, python.embeddings.mean[at] ?? [])).toBeCloseTo(1, 4);
    expect(packed.data[at]?.embedding).toEqual(Array.from(Float32Array.from(embedding)));
  }
  const tokens = python.ids.slice(0, 3).reduce((sum, ids) => sum + ids.length, 0);
  expect(plain.usage).toEqual({ prompt_tokens: tokens, total_tokens: tokens });
  const short = await client.embeddings.create({ model, input: input[0] ?? "", dimensions: 8 });
  expect(short.data[0]?.embedding).toHaveLength(8);
  proved("openai-js", "embeddings", "embeddings-base64");
});

test("a picture lies nearer to the words for it than to others, where the model reads both", async () => {
  const bytes = await readFile(join(import.meta.dir, "../../reference/demo-clip/red-circle-on-blue.png"));
  const picture = { image_url: `data:image/png;base64,${bytes.toString("base64")}` };
  const input = [picture, "a red circle on a blue ground", "a green star on a yellow ground"] as never;
  const { data } = await client.embeddings.create({ model: "forecourt/demo-clip/embed", input });
  const [seen = [], right = [], wrong = []] = data.map(({ embedding }) => embedding);
  expect(cosine(seen, right)).toBeGreaterThan(cosine(seen, wrong));
});

test("tokens of another vocabulary, too many dimensions and models of another kind are refused by their field", async () => {
  const tokens = sent(client.embeddings.create({ model, input: [[1, 2, 3]] }));
  await expect(tokens).rejects.toMatchObject({ status: 400, param: "input" });
  await expect(tokens).rejects.toThrow(/token ids/);
  const wide = sent(client.embeddings.create({ model, input: "x", dimensions: 100_000 }));
  await expect(wide).rejects.toMatchObject({ status: 400, param: "dimensions" });
  await expect(sent(client.embeddings.create({ model: MODEL, input: "x" }))).rejects.toThrow(/chat\/completions/);
  await expect(sent(client.embeddings.create({ model, input: [] }))).rejects.toMatchObject({ param: "input" });
});

test("documents are ordered as Python's cross-encoder orders them", async () => {
  const { query, documents, scores } = python.rerank;
  const ranked = (await client.post("/rerank", {
    body: { model: "test/rerank", query, documents: documents.map((text) => ({ text })), return_documents: true },
  })) as { results: { index: number; relevance_score: number; document: { text: string } }[] };
  const order = scores.map((_, at) => at).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
  expect(ranked.results.map(({ index }) => index)).toEqual(order);
  for (const { index, relevance_score, document } of ranked.results) {
    expect(relevance_score).toBeCloseTo(scores[index] ?? Number.NaN, 3);
    expect(document.text).toBe(documents[index] ?? "");
  }
});

test("moderation says that there is none, instead of finding nothing", async () => {
  const asked = sent(client.moderations.create({ input: "hello" }));
  await expect(asked).rejects.toMatchObject({ status: 404, code: "model_not_found" });
});
