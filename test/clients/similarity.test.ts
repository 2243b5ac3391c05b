// SigLIP by the clients of fal and OpenAI, on tiny graphs: texts for a picture in both layouts, and embeddings of both.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { FalClient } from "@fal-ai/client";
import OpenAI from "openai";
import { type LiveServer, startServer } from "../support/live-server.ts";
import { testModel } from "../support/test-models.ts";
import { falClientOf } from "./hosts-on-box.ts";

setDefaultTimeout(120_000);

const REFERENCE = join(import.meta.dir, "../reference");
const WEIGHTS = join(REFERENCE, "embedding/siglip2");

type Cases = {
  texts: string[];
  text_embeds: number[][];
  pictures: string[];
  image_embeds: number[][];
  probabilities: number[][];
};
type Answer = { scores: number[]; classes: { label: string; score: number }[] };

let server: LiveServer;
let fal: FalClient;
let python: Cases;
let pictures: string[];

const models = {
  "one-graph": { pipeline: "image-text-similarity" },
  // What the pipeline would open first is a file that is not there.
  "two-graphs": {
    pipeline: "image-text-similarity",
    graphs: { "onnx/model.onnx": "onnx/none.onnx" },
    similarity: { logitScale: 3, logitBias: 5 },
  },
  embed: { pipeline: "embed" },
};

beforeAll(async () => {
  const files = Object.entries(models).map(([name, own]) =>
    testModel(`tiny/siglip/${name}`, {
      ...{ category: "vision", source: { path: WEIGHTS }, ...own },
      price: { unit: "request", amount: 0.01, currency: "USD" },
    }),
  );
  server = await startServer({ models: files });
  fal = falClientOf(server);
  python = JSON.parse(await readFile(join(WEIGHTS, "cases.json"), "utf8"));
  pictures = await Promise.all(
    python.pictures.map(async (name) => {
      const bytes = await readFile(join(REFERENCE, "demo-clip", name));
      return `data:image/png;base64,${bytes.toString("base64")}`;
    }),
  );
}, 60_000);
afterAll(() => server?.[Symbol.asyncDispose]());

for (const layout of ["one-graph", "two-graphs"])
  test(`texts have transformers' probabilities for each picture, in ${layout}`, async () => {
    for (const [i, image_url] of pictures.entries()) {
      const { data } = await fal.subscribe(`tiny/siglip/${layout}`, { input: { image_url, texts: python.texts } });
      const { scores, classes } = data as Answer;
      for (const [at, score] of scores.entries()) expect(score).toBeCloseTo(python.probabilities[i]?.[at] ?? NaN, 4);
      expect(classes[0]?.score).toBe(Math.max(...scores));
    }
  });

test("OpenAI's client gets embeddings of texts and of a picture", async () => {
  const client = new OpenAI({ apiKey: server.key, baseURL: `${server.origin}/v1`, maxRetries: 0 });
  const input = [...python.texts.slice(0, 4), { image_url: pictures[1] }] as never;
  const { data } = await client.embeddings.create({ model: "tiny/siglip/embed", input, encoding_format: "float" });
  const wanted = [...python.text_embeds.slice(0, 4), python.image_embeds[1] ?? []];
  expect(data).toHaveLength(5);
  for (const [i, { embedding }] of data.entries()) {
    const length = Math.hypot(...(wanted[i] ?? []));
    for (const [at, value] of embedding.entries()) expect(value).toBeCloseTo((wanted[i]?.[at] ?? NaN) / length, 4);
  }
});
