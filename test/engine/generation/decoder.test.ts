// What a decoder gives its graph, for exports of other kinds than the tiny models' are.
import { expect, test } from "bun:test";
import type { Assets, Graph } from "../../../src/core/pipeline.ts";
import type { Port, Tensor } from "../../../src/core/tensor.ts";
import { loadDecoder } from "../../../src/engine/generation/decoder.ts";
import { emptyCache, gatherRows } from "../../../src/engine/generation/kv-cache.ts";

const past = (name: string, dtype: Port["dtype"] = "float16"): Port => ({ name, dtype, shape: ["b", 1, "p", 2] });
const cached = [past("past_key_values.0.key"), past("past_key_values.0.value")];
const ids: Port[] = ["input_ids", "attention_mask"].map((name) => ({ name, dtype: "int64", shape: ["b", "s"] }));
const logits: Port = { name: "logits", dtype: "float32", shape: ["b", "s", 4] };
const flag: Port = { name: "use_cache_branch", dtype: "bool", shape: [1] };
const kept: Port = { name: "num_logits_to_keep", dtype: "int64", shape: [] };

/** Its keys are counted up from row, token and place; what it was given is noted. */
function graphOf(inputs: Port[]) {
  const given: Record<string, Tensor>[] = [];
  const graph: Graph = {
    inputs,
    outputs: [logits],
    async run(feeds) {
      given.push(feeds);
      const [rows = 1, count = 1] = feeds.input_ids?.shape ?? [];
      const total = (feeds["past_key_values.0.key"]?.shape[2] ?? 0) + count;
      const present: Tensor = {
        dtype: "float16",
        shape: [rows, 1, total, 2],
        data: Uint16Array.from(
          { length: rows * total * 2 },
          (_, i) => 100 * Math.floor(i / (total * 2)) + (i % (total * 2)),
        ),
      };
      const scores = new Float32Array(rows * 4).map((_, i) => i);
      return {
        logits: { dtype: "float32", shape: [rows, 1, 4], data: scores },
        "present.0.key": present,
        "present.0.value": present,
      };
    },
  };
  return { graph, given };
}

const assetsOf = (graph: Graph, files: string[], opened: string[] = []): Assets => {
  const never = () => Promise.reject(new Error("not asked for"));
  return {
    has: (path) => files.includes(path),
    list: () => [],
    graph: async (path) => {
      opened.push(path);
      return graph;
    },
    ...{
      json: never,
      text: never,
      bytes: never,
      transformers: never,
      phonemes: never,
      codec: { decode: never, encode: never, film: never, animate: never },
    },
  };
};

test("a merged export is told whether there is a past, and asked for the last scores only", async () => {
  const { graph, given } = graphOf([...ids, ...cached, flag, kept]);
  const opened: string[] = [];
  const decoder = await loadDecoder(assetsOf(graph, ["onnx/decoder_model_merged.onnx"], opened));
  expect(opened).toEqual(["onnx/decoder_model_merged.onnx"]);
  const { cache, logits: scores } = await decoder.forward({ tokens: [[1, 2]], cache: emptyCache(decoder.kv, 1) });
  await decoder.forward({ tokens: [[3]], cache });
  expect(given.map((feeds) => [...(feeds.use_cache_branch?.data ?? [])])).toEqual([[0], [1]]);
  expect(given.map((feeds) => [...(feeds.num_logits_to_keep?.data ?? [])])).toEqual([[1n], [1n]]);
  expect(given.map((feeds) => [...(feeds.attention_mask?.data ?? [])])).toEqual([
    [1n, 1n],
    [1n, 1n, 1n],
  ]);
  expect(scores.map((each) => [...each])).toEqual([[0, 1, 2, 3]]);
});

test("rows of half precision are put together and taken apart again, with padding on either side", async () => {
  const { graph } = graphOf([...ids, ...cached]);
  const decoder = await loadDecoder(assetsOf(graph, ["onnx/model.onnx"]));
  const read = async (tokens: number[]) =>
    (await decoder.forward({ tokens: [tokens], cache: emptyCache(decoder.kv, 1) })).cache;
  const [short, long] = [await read([1]), await read([1, 2, 3])];
  const rows = [short, long].map((cache) => ({ cache, row: 0 }));
  const keysOf = (cache: typeof short) => {
    const tensor = cache.tensors.get("0.key");
    return tensor && "data" in tensor ? [...tensor.data] : [];
  };
  expect(keysOf(gatherRows(rows, decoder.kv))).toEqual([0, 0, 0, 0, 0, 1, 0, 1, 2, 3, 4, 5]);
  const behind = gatherRows(rows, decoder.kv, { padding: "behind" });
  expect(keysOf(behind)).toEqual([0, 1, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5]);
  expect(keysOf(gatherRows([{ cache: behind, row: 0 }], decoder.kv))).toEqual([0, 1]);
  expect(keysOf(gatherRows([{ cache: behind, row: 1, tokens: 2 }], decoder.kv))).toEqual([0, 1, 2, 3]);
});

test("a graph of another kind says what is strange about it", async () => {
  const problemOf = async (inputs: Port[]) => {
    const failure = await loadDecoder(assetsOf(graphOf(inputs).graph, ["onnx/model.onnx"])).catch((error) => error);
    expect(failure.code).toBe("runner_failed");
    return failure.message;
  };
  expect(await problemOf(ids)).toContain("only exports with a cache");
  expect(await problemOf([...ids, ...cached, { name: "past_conv.0", dtype: "float32", shape: [1] }])).toContain(
    '"past_conv.0" is not known',
  );
  expect(
    await problemOf([...ids, { name: "past_key_values.0.key", dtype: "float32", shape: ["b", "h", "p", "w"] }]),
  ).toContain("how many heads");
});
