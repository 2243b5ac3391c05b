import { expect, test } from "bun:test";
import { join } from "node:path";
import { createPromptEncoder } from "../../../src/engine/diffusion/prompt-encoder.ts";
import { loadClipTokenizer } from "../../../src/engine/text/tokenizer.ts";
import { openFolder } from "../support/load.ts";

const assets = openFolder(join(import.meta.dir, "../tiny/optimum"));

test("a prompt becomes one row for each position, and a repeated one is not computed again", async () => {
  const graph = await assets.graph("text_encoder/model.onnx");
  let runs = 0;
  const run: typeof graph.run = (inputs) => {
    runs++;
    return graph.run(inputs);
  };
  const tokenizer = await loadClipTokenizer(assets, "tokenizer");
  const encoder = createPromptEncoder({ tokenizer, graph: { ...graph, run } });
  const first = await encoder.encode("a");
  expect(first).toMatchObject({ tokens: 77, width: 8, dropped: 0 });
  expect(first.data).toHaveLength(77 * 8);
  expect(first.data[8 + 3]).toBeCloseTo(Math.sin(256 + 64 + 0.3), 5);
  expect((await encoder.encode("a")).data).toBe(first.data);
  await encoder.encode("b");
  expect(runs).toBe(2);
});
